"""A small U-Net, and a function that exports it, for the tests of every format."""

import pytest

from tests.export.tiny_source import SIZE, tiny_source


@pytest.fixture(scope="module")
def source():
    return tiny_source("unet", SIZE)


@pytest.fixture
def export_to(source, tmp_path):
    """A function that exports the U-Net by the settings of a config class to a file."""
    from kseg.export.run import export_source

    def run(kind, name, **options):
        path = str(tmp_path / name)
        return export_source(source, kind(**{"output_path": path, "repeats": 0, **options}))

    return run
