from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from kseg.data import open_dataset
from kseg.data.augment import (
    augmentation,
    find_recipe,
    flip_left_right,
    flip_up_down,
    quarter_turn,
)
from kseg.data.batches import Batches
from kseg.data.cache import DiskCache, RamCache
from kseg.data.dataset import Sample
from kseg.data.description import map_values
from kseg.data.edge_weighting import edge_weights
from kseg.data.labelme import ClassMap, open_labelme
from tests.data.labelme_files import shape, write_pair


@pytest.fixture
def make(parts_root):
    dataset = open_dataset("parts", parts_root)

    def make(**options):
        return Batches(dataset, dataset.train, 4, (48, 48), **options)

    return make


def test_images_are_uint8_and_masks_hold_labels(make):
    images, masks = make().batch(0, 0)
    assert images.shape == (4, 48, 48, 3)
    assert images.dtype == masks.dtype == np.uint8
    assert set(np.unique(masks)) == {0, 1}


def test_a_batch_depends_on_seed_epoch_and_index_only(make):
    first = make(shuffle=True, seed=3, transforms=augmentation("flips"))
    second = make(shuffle=True, seed=3, transforms=augmentation("flips"))
    second.batch(7, 1)
    np.testing.assert_array_equal(first.batch(2, 3)[0], second.batch(2, 3)[0])
    assert not np.array_equal(first.batch(2, 3)[0], first.batch(3, 3)[0])


def test_an_epoch_shows_every_image_once(make):
    batches = make(shuffle=True)
    plain = np.concatenate([make().batch(0, i)[0] for i in range(4)])
    shuffled = np.concatenate([batches.batch(5, i)[0] for i in range(4)])
    assert sorted(map(bytes, plain)) == sorted(map(bytes, shuffled))


def test_repeated_images_are_shown_as_often_each_time_another_window(make):
    whole = make().batch(0, 0)[0]
    options = {
        "shuffle": True,
        "repeats": 3,
        "transforms": find_recipe("none").transforms(255, (24, 24)),
    }
    batches = make(**options)
    assert len(batches) == 3 * len(make(shuffle=True))
    files = replace(batches, files=batches.files[:2], batch_size=3)
    assert len(files) == 2
    parts = np.concatenate([files.batch(4, index)[0] for index in range(2)])
    seen = [[_is_part(part, image) for image in whole[:2]] for part in parts]
    assert np.sum(seen, axis=0).tolist() == [3, 3]
    assert len({part.tobytes() for part in parts}) == 6


def _is_part(part, image):
    windows = sliding_window_view(image, part.shape)
    return bool((windows == part).all(axis=(-1, -2, -3)).any())


def test_only_a_shuffled_epoch_drops_the_incomplete_batch(make):
    batches = make()
    odd = {"dataset": batches.dataset, "files": batches.files[:6], "batch_size": 4}
    assert len(Batches(**odd, size=(48, 48))) == 2
    assert len(Batches(**odd, size=(48, 48)).batch(0, 1)[0]) == 2
    assert len(Batches(**odd, size=(48, 48), shuffle=True)) == 1


def test_weights_of_pixels_fit_the_augmented_labels(make):
    options = {"w0": 3.0, "sigma": 2.0}
    batches = make(shuffle=True, transforms=augmentation("turns"), pixel_weights=options)
    images, labels, weights = batches.batch(1, 0)
    expected = np.stack([edge_weights(one, **options) for one in labels])
    np.testing.assert_array_equal(weights, expected)
    assert weights.dtype == np.float32
    pairs = make(shuffle=True, transforms=augmentation("turns")).batch(1, 0)
    for plain, other in zip(pairs, (images, labels), strict=True):
        np.testing.assert_array_equal(plain, other)


def test_letterbox_borders_weigh_nothing(parts_root):
    dataset = open_dataset("parts", parts_root)
    batches = Batches(dataset, dataset.train, 2, (32, 64), resize_op=2, pixel_weights={})
    _, labels, weights = batches.batch(0, 0)
    assert (labels == 255).any()
    np.testing.assert_array_equal(weights == 0, labels == 255)


def test_fewer_images_than_a_batch_are_refused(make):
    batches = make()
    with pytest.raises(ValueError, match="2 images are fewer than one batch of 4"):
        Batches(batches.dataset, batches.files[:2], 4, (48, 48), shuffle=True)


@pytest.mark.parametrize(("flip", "axis"), [(flip_left_right, 1), (flip_up_down, 0)])
def test_a_flip_moves_image_and_mask_alike(flip, axis):
    ids = np.arange(6, dtype="uint8").reshape(2, 3)
    sample = Sample(np.repeat(ids[..., None], 3, axis=2), ids, "x")
    results = [flip(sample, np.random.default_rng(seed)) for seed in range(20)]
    for result in results:
        np.testing.assert_array_equal(result.image[..., 0], result.mask)
        assert result.mask.tolist() in (ids.tolist(), np.flip(ids, axis).tolist())
    flipped = sum(result.mask.tolist() != ids.tolist() for result in results)
    assert 4 <= flipped <= 16


def test_turns_show_all_eight_positions_of_a_square_and_leave_others_alone():
    ids = np.arange(9, dtype="uint8").reshape(3, 3)
    sample = Sample(np.repeat(ids[..., None], 3, axis=2), ids, "x")
    seen = set()
    for seed in range(100):
        turned, rng = sample, np.random.default_rng(seed)
        for transform in augmentation("turns"):
            turned = transform(turned, rng)
        np.testing.assert_array_equal(turned.image[..., 0], turned.mask)
        seen.add(turned.mask.tobytes())
    assert len(seen) == 8
    wide = Sample(sample.image[:2], ids[:2], "x")
    assert quarter_turn(wide, np.random.default_rng(0)) is wide


def test_an_unknown_augmentation_is_named():
    with pytest.raises(ValueError, match="augment must be one of none, hflip, flips, turns"):
        augmentation("heavy")


def equal(one, other):
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", ["hflip", "strong", "medical"])
def test_kept_samples_give_the_same_batches(make, tmp_path, name):
    options = {"shuffle": True, "transforms": augmentation(name)}
    expected = [make(**options).batch(epoch, 1) for epoch in (0, 1)]
    for cache in (RamCache(10**9), RamCache(20_000), DiskCache(tmp_path, 10**9)):
        cached = make(**options, cache=cache)
        for epoch, batch in enumerate(expected):
            equal(cached.batch(epoch, 1), batch)
        assert cache.used > 0


def test_files_kept_on_disk_are_not_mistaken_for_others(make, tmp_path):
    small = make(cache=DiskCache(tmp_path, 10**9))
    large = replace(small, size=(64, 64))
    for _ in range(2):
        assert small.batch(0, 0)[0].shape[1:3] == (48, 48)
        assert large.batch(0, 0)[0].shape[1:3] == (64, 64)


def kept_and_fresh(batches, dataset, cache):
    return [replace(batches, dataset=dataset, cache=one).batch(0, 0)[1] for one in (cache, None)]


def test_files_kept_on_disk_hold_for_one_table_of_values(make, tmp_path):
    batches, cache = make(), DiskCache(tmp_path, 10**9)
    for pairs in (((0, 0), (1, 1)), ((0, 1), (1, 0))):
        dataset = replace(batches.dataset, relabel=partial(map_values, pairs=pairs))
        np.testing.assert_array_equal(*kept_and_fresh(batches, dataset, cache))
    assert len(list(tmp_path.iterdir())) == 8


def test_files_kept_on_disk_hold_for_one_list_of_labelme_classes(tmp_path):
    for stem in "abc":
        write_pair(tmp_path / "in", stem, shape("cat"))
    dataset, cache = open_labelme("in", tmp_path / "in"), DiskCache(tmp_path / "kept", 10**9)
    batches = Batches(dataset, dataset.train, 1, (32, 32))
    for names in (("_background_", "cat"), ("_background_", "ape", "cat")):
        dataset = replace(dataset, class_map=ClassMap(names))
        np.testing.assert_array_equal(*kept_and_fresh(batches, dataset, cache))


def test_what_cannot_be_told_from_a_later_change_is_not_kept_on_disk(make, tmp_path):
    batches, cache = make(), DiskCache(tmp_path, 10**9)
    for shift in (0, 1):
        dataset = replace(batches.dataset, relabel=lambda mask, shift=shift: (mask + shift) % 2)
        np.testing.assert_array_equal(*kept_and_fresh(batches, dataset, cache))
    assert not list(tmp_path.iterdir())


def test_mixed_samples_have_soft_truth(make, tmp_path):
    recipe = tmp_path / "mix.yaml"
    recipe.write_text("[{mixup: {p: 1, alpha: 1}}]")
    images, truth = make(transforms=augmentation(str(recipe))).batch(0, 0)
    assert (images.dtype, truth.dtype) == (np.uint8, np.float32)
    assert truth.shape == (4, 48, 48, 2)
    np.testing.assert_allclose(truth.sum(-1), 1, rtol=1e-6)
    assert ((truth > 0) & (truth < 1)).any()
    with pytest.raises(ValueError, match="leave mixup out"):
        make(transforms=augmentation(str(recipe)), pixel_weights={"w0": 1.0})


def test_the_shards_of_an_epoch_are_the_whole_epoch(make):
    options = {"shuffle": True, "seed": 2, "transforms": augmentation("flips")}
    whole = make(**options)
    shards = [replace(whole, batch_size=2, shard=(rank, 2)) for rank in range(2)]
    assert [len(one) for one in shards] == [len(whole)] * 2
    for index in range(len(whole)):
        images = np.concatenate([shard.batch(3, index)[0] for shard in shards])
        np.testing.assert_array_equal(images, whole.batch(3, index)[0])


@pytest.mark.parametrize("kind", ["ram", "disk"])
def test_maps_of_weights_are_made_once(make, kind, tmp_path, monkeypatch):
    made = []

    def counted(labels, **options):
        made.append(labels)
        return edge_weights(labels, **options)

    monkeypatch.setattr("kseg.data.batches.edge_weights", counted)
    cache = RamCache(10**8) if kind == "ram" else DiskCache(tmp_path, 10**8)
    options = {"w0": 3.0, "sigma": 2.0}
    batches = make(pixel_weights=options, cache=cache)
    first, second = (batches.batch(epoch, 0) for epoch in range(2))
    assert len(made) == len(first[0])
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    expected = np.stack([edge_weights(one, **options) for one in first[1]])
    np.testing.assert_array_equal(first[2], expected)
    make(pixel_weights={**options, "w0": 4.0}, cache=cache).batch(0, 0)
    assert len(made) == 2 * len(first[0])
    assert len(make(cache=cache).batch(0, 0)) == 2
