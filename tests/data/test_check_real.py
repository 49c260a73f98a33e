"""The checker finds no fault in data sets that thousands have trained on."""

import pytest

from kseg.data.checks import CheckOptions, check_folder

QUICK = CheckOptions(cache=False)


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        ("camvid", {"train": 367, "val": 101, "test": 233}),
        ("drive", {"train": 16, "val": 4, "test": 20}),
        ("isbi2012", None),
        ("dsb2018", None),
        ("digital_rock", None),
        ("voc2007seg", None),
    ],
)
def test_a_real_data_set_has_no_errors(name, samples, real_data):
    folder = real_data(name)
    report = check_folder(folder, QUICK)
    assert report.errors == 0, report.findings
    assert samples is None or report.splits == samples
    if name == "camvid":
        assert (report.classes.count, report.classes.ignored) == (11, 11)
        assert report.weights()["median_frequency"][3] == pytest.approx(0.149, abs=0.001)
    assert not list(folder.glob("*.cache"))
