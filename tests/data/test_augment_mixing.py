import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.data.augment import MixedSample, augment, augmentation, needs_soft_labels, soft_labels
from kseg.data.augment.operation import Mix
from kseg.data.augment.read import OPERATIONS
from kseg.data.dataset import Sample
from tests.data.augment_cases import KINDS, always, drawer, random_sample, steps

MIXES = [name for name, kind in OPERATIONS.items() if issubclass(kind, Mix)]
SIZE = (40, 56)


def flat(value, label, size=SIZE):
    return Sample(np.full((*size, 3), value, "uint8"), np.full(size, label, "uint8"), f"all{label}")


def mixed(sample, operation, draw, seed=0):
    return augment(sample, steps(operation), np.random.default_rng(seed), draw)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MIXES)
def test_shape_and_type_stay_and_the_inputs_too(name, kind):
    sample, other = random_sample(kind), random_sample(kind, seed=9)
    before = [one.copy() for one in (sample.image, sample.mask, other.image, other.mask)]
    result = mixed(sample, always(name), lambda rng: other)
    assert (result.image.shape, result.image.dtype) == (sample.image.shape, sample.image.dtype)
    assert (result.mask.shape, result.mask.dtype) == (sample.mask.shape, sample.mask.dtype)
    for now, then in zip((sample.image, sample.mask, other.image, other.mask), before, strict=True):
        np.testing.assert_array_equal(now, then)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.sampled_from([n for n in MIXES if n != "mixup"]), st.integers(0, 2**32))
def test_each_pixel_keeps_the_label_of_its_image(name, seed):
    # The images say their labels: three channels of 40 times the label.
    def told(labels):
        image = np.repeat((labels % 6 * 40)[..., None], 3, axis=2)
        return Sample(image.astype("uint8"), labels, "x")

    sample = told(random_sample(labels=(0, 1, 2, 3)).mask)
    others = [told(random_sample(seed=k, labels=(0, 4, 5)).mask) for k in range(3)]
    result = mixed(sample, always(name), lambda rng: others[rng.integers(3)], seed)
    np.testing.assert_array_equal(result.image[..., 0], result.mask * 40)


def test_cutmix_pastes_one_rectangle_of_the_drawn_area():
    areas = []
    for seed in range(300):
        result = mixed(flat(0, 0), always("cutmix"), lambda rng: flat(9, 1), seed)
        pasted = result.mask == 1
        assert pasted.sum() == pasted.any(axis=1).sum() * pasted.any(axis=0).sum()
        np.testing.assert_array_equal(result.image[..., 0], np.where(pasted, 9, 0))
        areas.append(pasted.mean())
    # The area a is even in 0..1 and of sides s = sqrt(a). With its centre anywhere, a side keeps
    # s - s^2 / 4 on average; the mean of its square is 1/2 - 1/5 + 1/48 = 0.321.
    assert np.mean(areas) == pytest.approx(0.321, abs=0.04)


def test_mosaic_shows_windows_of_four_samples_around_a_point():
    parts = [flat(10 * k, k) for k in range(4)]
    numbers = iter([1, 2, 3])
    result = mixed(parts[0], always("mosaic"), lambda rng: parts[next(numbers)])
    rows, columns = (result.mask[:, 0] == 0).sum(), (result.mask[0] == 0).sum()
    assert 10 <= rows <= 30
    assert 14 <= columns <= 42
    expected = np.zeros(SIZE, int)
    expected[:rows, columns:], expected[rows:, :columns], expected[rows:, columns:] = 1, 2, 3
    np.testing.assert_array_equal(result.mask, expected)
    np.testing.assert_array_equal(result.image[..., 0], 10 * expected)


def test_each_quarter_of_a_mosaic_is_a_piece_of_its_sample():
    ids = np.arange(100 * 100).reshape(100, 100)
    sample = Sample((ids % 251).astype("uint8")[..., None], ids, "x")
    result = mixed(sample, always("mosaic"), lambda rng: sample)
    np.testing.assert_array_equal(result.image[..., 0], result.mask % 251)
    jumps = (np.diff(result.mask, axis=1) != 1).any(axis=0).sum()
    assert jumps <= 1


def test_copied_objects_are_whole_and_void_is_never_copied():
    other = flat(50, 255)
    other.mask[5:12, 6:16] = 1
    other.mask[20:25, 30:34] = 2
    other.mask[30:32, 2:4] = 2  # a speck of four pixels
    other.image[other.mask == 1], other.image[other.mask == 2] = 100, 200
    seen = set()
    for seed in range(30):
        result = mixed(flat(0, 0), always("copy_paste", objects=1), lambda rng: other, seed)
        counts = tuple(np.bincount(result.mask.ravel(), minlength=3))
        assert counts in ((SIZE[0] * SIZE[1] - 70, 70, 0), (SIZE[0] * SIZE[1] - 20, 0, 20))
        np.testing.assert_array_equal(result.image[..., 0], result.mask * 100)
        seen.add((counts, int(np.argmax(result.mask > 0))))
    assert len(seen) > 10


def test_objects_are_of_the_asked_classes():
    other = flat(7, 3)
    other.mask[5:15, 5:15] = 4
    none = mixed(flat(0, 0), always("copy_paste", classes=[2]), lambda rng: other)
    assert (none.mask == 0).all()
    some = mixed(flat(0, 0), always("copy_paste", classes=[4], objects=5), lambda rng: other)
    assert (some.mask == 4).sum() == 100


def test_mixup_is_the_weighted_mean_and_so_is_its_truth():
    # With share s: image 200 s + 100 (1 - s); truth s of class 0 and 1 - s of class 2.
    result = mixed(flat(200, 0), always("mixup", alpha=1.0), lambda rng: flat(100, 2), seed=5)
    assert isinstance(result, MixedSample)
    share = result.share
    assert 0.05 < share < 0.95
    assert (result.image == round(200 * share + 100 * (1 - share))).all()
    soft = soft_labels(result, 3, 255)
    np.testing.assert_allclose(soft[7, 9], [share, 0, 1 - share], rtol=1e-6)
    assert soft.shape == (*SIZE, 3)
    assert soft.dtype == np.float32


def test_void_in_one_of_two_mixed_samples_is_void():
    image = np.zeros((1, 4, 3), "uint8")
    first, second = np.array([[0, 1, 255, 255]], "uint8"), np.array([[1, 1, 1, 255]], "uint8")
    pair = MixedSample(image, first, "x", partner=second, share=0.25)
    expected = [[[0.25, 0.75], [0, 1], [0, 0], [0, 0]]]
    np.testing.assert_allclose(soft_labels(pair, 2, 255), expected)


def test_plain_samples_have_one_hot_truth_and_zeros_for_void():
    labels = np.array([[0, 2], [11, 1]], "uint8")
    sample = Sample(np.zeros((2, 2, 3), "uint8"), labels, "x")
    expected = [[[1, 0, 0], [0, 0, 1]], [[0, 0, 0], [0, 1, 0]]]
    np.testing.assert_array_equal(soft_labels(sample, 3, 11), expected)
    with pytest.raises(ValueError, match="label 11 is neither a class"):
        soft_labels(sample, 3, 255)


def test_what_comes_after_mixup_keeps_its_truth():
    transforms = steps(always("mixup"), always("hsv"), always("noise"), always("cutout"), void=9)
    assert needs_soft_labels(transforms)
    assert not needs_soft_labels(augmentation("strong"))
    result = augment(flat(200, 0), transforms, np.random.default_rng(1), lambda rng: flat(90, 1))
    soft = soft_labels(result, 2, 9)
    hidden = result.mask == 9
    assert 0 < hidden.mean() < 0.1
    np.testing.assert_array_equal(soft.sum(axis=-1) == 0, hidden)


def test_partners_go_through_the_steps_before_the_mixture_but_are_not_mixed():
    flip, cut = always("hflip"), always("cutmix")
    half = flat(0, 1)
    half.mask[:, :28] = 2
    flipped = [np.fliplr(half.mask).tobytes()]
    partners = []

    class Recording(type(cut)):
        def mix(self, sample, rng, draw):
            return super().mix(sample, rng, lambda r: partners.append(draw(r)) or partners[-1])

    transforms = (*steps(flip), Recording(p=1.0), Recording(p=1.0))
    augment(half, transforms, np.random.default_rng(0), lambda rng: half)
    assert [one.mask.tobytes() for one in partners] == flipped * 2


@pytest.mark.parametrize("name", MIXES)
def test_mixing_needs_a_source_of_samples_that_fit(name):
    with pytest.raises(ValueError, match=f"{name} needs other samples"):
        mixed(flat(0, 0), always(name), None)
    with pytest.raises(ValueError, match="all0 and all1 cannot be mixed: .* shape"):
        mixed(flat(0, 0), always(name), lambda rng: flat(0, 1, (20, 20)))


@pytest.mark.parametrize("kind", KINDS)
def test_the_strong_preset_runs_on_all_images(kind):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        result = augment(random_sample(kind), augmentation("strong"), rng, drawer(kind))
        assert set(np.unique(result.mask)) <= {0, 1, 2, 5, 255}
        assert result.image.dtype == KINDS[kind][1]
