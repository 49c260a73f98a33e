"""Settings of `kseg check_data`."""

from __future__ import annotations

from dataclasses import dataclass

from kseg.config.checks import require_at_least, require_at_most


@dataclass
class CheckConfig:
    """Look at every file of a data set and report everything that is wrong with it.

    Exit code 0 means no errors (warnings may be there), 1 errors, 2 a mistake in the command.

    Args:
        folder: Folder of the data set.
        dataset_name: How the folder is read, see `kseg train --help`; by default the folder's
            name, or what its layout shows.
        n_classes: Number of classes, background included; by default the data set's own, 2 for
            plain folders.
        ignore_class: Label that counts in no loss and no metric, by default the data set's own.
        output: Folder for report.json and contact_sheet.png; by default data/check/NAME, NAME
            being that of the data set's folder.
        fix: Folder for a corrected copy; it must not exist or be empty. By default none is made.
        near_duplicates: Look for images that nearly equal one of another part, too.
        pictures: Most rows of the contact sheet; 0 draws none.
        workers: Threads.
    """

    folder: str
    dataset_name: str | None = None
    n_classes: int | None = None
    ignore_class: int | None = None
    output: str | None = None
    fix: str | None = None
    near_duplicates: bool = True
    pictures: int = 12
    workers: int = 2

    @property
    def output_folders(self) -> list[str]:
        """Where results go, which a command looks at before it begins."""
        return [] if self.output is None else [self.output]

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(self, 1, "n_classes", "workers")
        require_at_least(self, 0, "ignore_class", "pictures")
        require_at_most(self, 255, "n_classes", "ignore_class")
