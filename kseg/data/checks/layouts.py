"""Folders of images and of label maps, looked at without trust that they fit together."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from kseg.data.checks.finding import Finding
from kseg.data.dataset import SampleFiles
from kseg.data.io import IMAGE_SUFFIXES
from kseg.data.paths import read_text, text_lines

Group = dict[str, list[Path]]

_MOST_NAMES = 500


@dataclass(frozen=True)
class FolderPair:
    """A folder of images and the folder of their label maps.

    Attributes:
        split: "train", "val", "test", or "all" where the data set has no parts.
        images: Folder of images, below the data set's.
        labels: Folder of label maps.
        others: Folders of further files of the same images.
        lists: Folder of text files that name the samples; images that none names need no label map.
    """

    split: str
    images: str
    labels: str
    others: tuple[str, ...] = ()
    lists: str = ""


_PLAIN = tuple(FolderPair(s, f"{s}_image", f"{s}_label") for s in ("train", "val", "test"))
_CAMVID = tuple(FolderPair(s, s, f"{s}annot") for s in ("train", "val", "test"))
_DRIVE = tuple(
    FolderPair(split, f"{folder}/images", f"{folder}/1st_manual", (f"{folder}/mask",))
    for split, folder in (("train", "training"), ("test", "test"))
)
_ONE_PART = tuple((FolderPair("all", "images", labels),) for labels in ("labels", "masks"))
_VOC = (FolderPair("all", "JPEGImages", "SegmentationClass", lists="ImageSets/Segmentation"),)
_LAYOUTS = (_PLAIN, _CAMVID, _DRIVE, *_ONE_PART, _VOC)


def find_layout(folder: Path) -> tuple[FolderPair, ...]:
    """Return the pairs of folders that a data set seems to have, () where it has none.

    A pair of which only one folder is there is among them, and the training and test parts always
    are.
    """
    for layout in _LAYOUTS:
        there = tuple(
            pair
            for pair in layout
            if (folder / pair.images).is_dir() or (folder / pair.labels).is_dir()
        )
        # Both folders of one part at least: `images` alone is found in many places.
        if any((folder / p.images).is_dir() and (folder / p.labels).is_dir() for p in there):
            needed = (pair for pair in layout if pair in there or pair.split != "val")
            return tuple(needed)
    return ()


def pair_files(folder: Path, pair: FolderPair) -> tuple[list[SampleFiles], list[Finding]]:
    """Return the samples of a pair of folders, and what is wrong with the others."""
    findings: list[Finding] = []
    images, labels = (_by_stem(folder / name, findings) for name in (pair.images, pair.labels))
    if not images or not labels:
        return [], findings
    if pair.lists:
        findings += _listed_alone(folder / pair.lists, images, labels)
    samples = []
    for stem in sorted({*images, *labels}):
        image, label = images.get(stem, []), labels.get(stem, [])
        if len(image) > 1 or len(label) > 1:
            findings.extend(_same_stem(image, label))
        elif image and label:
            samples.append(SampleFiles(image[0], label[0]))
        elif label:
            findings.append(
                _alone("missing_image", label[0], images.keys() - labels, folder / pair.images)
            )
        elif not pair.lists:
            findings.append(
                _alone("missing_label", image[0], labels.keys() - images, folder / pair.labels)
            )
    return samples, findings


def _listed_alone(folder: Path, images: Group, labels: Group) -> Iterator[Finding]:
    """Yield what lists name without being there; a test list may be one of images alone."""
    for path in sorted(folder.glob("*.txt")):
        named = [(number, listed_id(line)) for number, line in text_lines(read_text(path))]
        unlabelled = path.stem == "test" and not any(one in labels for _, one in named)
        for number, one in named:
            if one not in images:
                yield Finding("missing_image", path, f"line {number}: there is no image {one}")
            elif one not in labels and not unlabelled:
                yield Finding("missing_label", path, f"line {number}: {one} has no label map")


def listed_id(line: str) -> str:
    """Return the id that a line of a list names: its first word, or the stem of that path."""
    word = line.split()[0].replace("\\", "/")
    return word.rsplit("/", 1)[1].rsplit(".", 1)[0] if "/" in word else word


def _by_stem(folder: Path, findings: list[Finding]) -> Group:
    group: Group = defaultdict(list)
    if not folder.is_dir():
        findings.append(Finding("missing_folder", folder, "there is no such folder"))
        return group
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith("."):
            group[path.stem].append(path)
    if not group:
        findings.append(Finding("missing_folder", folder, "there is no image in it"))
    return group


def _same_stem(images: list[Path], labels: list[Path]) -> Iterator[Finding]:
    for files in (images, labels):
        for path in files[1:]:
            sentence = f"{files[0].name} has the same name up to the extension"
            yield Finding("same_stem", path, sentence)


def _alone(kind: str, file: Path, others: Collection[str], folder: Path) -> Finding:
    """Name a file without partner, and what its partner may be among the others that are alone."""
    sentence = f"there is no {file.stem}.* in {folder.name}"
    if len(others) <= _MOST_NAMES:  # comparing with more takes long
        close = difflib.get_close_matches(file.stem, sorted(others), n=1, cutoff=0.6)
        sentence += f"; does {close[0]} there belong to it?" if close else ""
    return Finding(kind, file, sentence)
