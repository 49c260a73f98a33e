"""Settings of `kseg download_data`."""

from __future__ import annotations

from dataclasses import dataclass

from kseg.config.checks import require_plain_name
from kseg.config.parse import UsageError


@dataclass
class DownloadConfig:
    """Fetch a data set, check it and unpack it to DATA_ROOT/DATASET_NAME.

    An interrupted download goes on where it stopped when the command is run again. What is
    fetched goes to DATA_ROOT/.downloads. Proxies are taken from HTTPS_PROXY and NO_PROXY, a
    certificate authority of your own from REQUESTS_CA_BUNDLE, the path of its CA file.

    Args:
        dataset_name: "camvid", "coco", "dsb2018", "isbi", "voc2007" or "voc2012"; "drive" and
            "helen_small" have to be fetched by hand, and this says how; any name with --url.
        url: Address (https://) of a zip, tar, tar.gz, tar.bz2 or tar.xz archive to fetch instead.
        sha256: Checksum that the archive at --url must have; without it, that of the first
            download is recorded and later downloads must have it.
        data_root: Folder that holds the data sets.
        max_gb: Most that an archive, or all files in it, may have in GB; by default 50, and
            less for small archives that grow more than a hundredfold.
        keep_archives: Keep what was fetched after it is unpacked.
        overwrite: Replace a data set that is there.
        dry_run: Only print what would be fetched.
    """

    dataset_name: str
    url: str | None = None
    sha256: str | None = None
    data_root: str = "data"
    max_gb: float | None = None
    keep_archives: bool = True
    overwrite: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        """Check the name and the range."""
        require_plain_name(self, "dataset_name")
        if self.dataset_name.startswith((".", "-")):
            raise UsageError(
                f"dataset_name must not begin with a dot or a dash, got {self.dataset_name!r}"
            )
        if self.max_gb is not None and not 0 < self.max_gb < 1e6:
            raise UsageError(f"--max_gb must be more than 0, got {self.max_gb}")
