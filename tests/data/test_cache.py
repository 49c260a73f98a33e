import numpy as np
import pytest

from kseg.data.cache import DiskCache, RamCache, sample_bytes
from kseg.data.dataset import Sample


def sample(value=1, size=10):
    image = np.full((size, size, 3), value, np.uint8)
    return Sample(image, image[..., 0].copy(), f"sample {value}")


class Loads:
    """Counts how often a sample is loaded."""

    def __init__(self):
        self.asked = []

    def __call__(self, value):
        def load():
            self.asked.append(value)
            return sample(value)

        return load


def equal(one, other):
    np.testing.assert_array_equal(one.image, other.image)
    np.testing.assert_array_equal(one.mask, other.mask)
    assert one.name == other.name


@pytest.fixture(params=["ram", "disk"])
def make_cache(request, tmp_path):
    """A function from a limit in bytes to an empty cache."""
    if request.param == "ram":
        return RamCache
    return lambda limit: DiskCache(tmp_path / "cache", limit)


def test_a_sample_is_loaded_once(make_cache):
    cache, loads = make_cache(10**6), Loads()
    for _ in range(3):
        for value in (1, 2):
            equal(cache.get(f"key {value}", loads(value)), sample(value))
    assert loads.asked == [1, 2]


def test_what_does_not_fit_is_loaded_anew_and_the_rest_kept(make_cache):
    # Room for two samples of 400 bytes.
    cache, loads = make_cache(2 * sample_bytes(sample()) + 10), Loads()
    for _ in range(2):
        for value in (1, 2, 3):
            equal(cache.get(f"key {value}", loads(value)), sample(value))
    assert loads.asked == [1, 2, 3, 3]
    assert cache.used == 800


def test_samples_from_memory_cannot_be_changed():
    cache = RamCache(10**6)
    cache.get("key", sample)
    with pytest.raises(ValueError, match="read-only"):
        cache.get("key", sample).image[0] = 0


def test_a_later_run_finds_the_files(tmp_path):
    loads = Loads()
    DiskCache(tmp_path, 10**6).get("key", loads(1))
    again = DiskCache(tmp_path, 10**6)
    equal(again.get("key", loads(1)), sample(1))
    assert loads.asked == [1]
    assert again.used > 0


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 half", b"\x93NUMPY"])
def test_a_damaged_file_is_made_again(tmp_path, damage):
    DiskCache(tmp_path, 10**6).get("key", sample)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    loads = Loads()
    cache = DiskCache(tmp_path, 10**6)
    for _ in range(2):
        equal(cache.get("key", loads(1)), sample(1))
    assert loads.asked == [1]


def test_a_place_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = DiskCache(tmp_path / "file" / "cache", 10**6)
    equal(cache.get("key", sample), sample())


def test_a_sample_without_mask_stays_without(make_cache):
    cache = make_cache(10**6)
    for _ in range(2):
        found = cache.get("key", lambda: Sample(sample().image, None, "x"))
        assert found.mask is None


def test_drafts_and_files_that_vanish_do_not_count(tmp_path):
    DiskCache(tmp_path, 10**6).get("key", sample)
    (kept,) = tmp_path.iterdir()
    (tmp_path / ".partial-1-2-other.npz").write_bytes(b"x" * 500)
    (tmp_path / "gone.npz").symlink_to(tmp_path / "deleted since")
    assert DiskCache(tmp_path, 10**6).used == kept.stat().st_size
