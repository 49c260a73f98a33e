import contextlib
import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kseg.data import open_dataset
from kseg.data.augment import PRESETS, Recipe, augment, augmentation, find_recipe
from kseg.data.augment.colour import Hsv, Tones
from kseg.data.augment.fields import parameters
from kseg.data.augment.operation import Operation
from kseg.data.augment.read import OPERATIONS, make_recipe, write_recipe
from kseg.data.augment.texture import Blur
from kseg.data.augment.warp import Warp
from tests.data.augment_cases import always, drawer, random_sample, steps

STRENGTHS = ("light", "medium", "strong", "medical")


def run(name, seed, kind="rgb", epoch=0, index=0):
    rng = np.random.default_rng([seed, epoch, index])
    return augment(random_sample(kind, (64, 64)), augmentation(name), rng, drawer(kind, (64, 64)))


@pytest.mark.parametrize("name", PRESETS)
def test_a_sample_depends_on_seed_epoch_and_index_only(name):
    first = run(name, 3, epoch=2, index=5)
    run(name, 9)
    again = run(name, 3, epoch=2, index=5)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.mask, again.mask)
    others = [run(name, 3, epoch=k, index=5).image.tobytes() for k in range(6)]
    assert (len(set(others)) > 1) == (name != "none")


@pytest.mark.parametrize("name", STRENGTHS)
def test_threads_do_not_disturb_each_other(name):
    alone = [run(name, 1, index=k) for k in range(24)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda k: run(name, 1, index=k), range(24)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.mask, other.mask)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.sampled_from(STRENGTHS), st.integers(0, 2**32))
def test_no_preset_invents_a_label(name, seed):
    labels = set(np.unique(run(name, seed).mask))
    assert labels <= {0, 1, 2, 5, 255}


@pytest.mark.parametrize("name", STRENGTHS)
def test_what_was_void_stays_void_in_each_preset(name):
    sample = random_sample(labels=(255,))
    draw = drawer(labels=(255,))
    for seed in range(10):
        result = augment(sample, augmentation(name), np.random.default_rng(seed), draw)
        assert (result.mask == 255).all()


@pytest.mark.parametrize("name", STRENGTHS)
def test_each_operation_of_a_preset_happens(name):
    sample = random_sample(size=(64, 64))
    for operation in PRESETS[name].operations:
        results = [
            augment(sample, steps(operation), np.random.default_rng(k), drawer(size=(64, 64)))
            for k in range(60)
        ]
        happened = np.mean([not np.array_equal(r.image, sample.image) for r in results])
        assert happened == pytest.approx(operation.p, abs=0.25)


@pytest.mark.parametrize("name", OPERATIONS)
def test_probabilities_are_kept(name):
    sample = random_sample(size=(24, 24))
    for p in (0.0, 0.3, 1.0):
        transforms = steps(OPERATIONS[name](p=p))
        unchanged = sum(
            augment(sample, transforms, np.random.default_rng([7, k]), drawer(size=(24, 24))).image
            is sample.image
            for k in range(100)
        )
        # A tenth of the draws may leave a sample as it is: a blur or a rotation by nearly nothing.
        low, high = {0.0: (100, 100), 0.3: (55, 90), 1.0: (0, 25)}[p]
        assert low <= unchanged <= high


def test_all_that_moves_pixels_is_one_warp_and_curves_are_one_table():
    transforms = augmentation("medium")
    assert [type(one) for one in transforms] == [Warp, Hsv, Tones, Blur]
    names = ["noise", "rotate", "brightness", "contrast", "blur", "elastic", "gamma"]
    kinds = [type(one).__name__ for one in steps(*map(always, names))]
    assert kinds == ["Warp", "Noise", "Tones", "Blur", "Tones"]
    names = ["rotate", "blur", "cutmix", "noise", "hflip"]
    kinds = [type(one).__name__ for one in steps(*map(always, names))]
    assert kinds == ["Warp", "Blur", "CutMix", "Warp", "Noise"]


@pytest.mark.parametrize("name", STRENGTHS)
def test_real_street_scenes_keep_their_labels(name, real_data):
    dataset = open_dataset("camvid", real_data("camvid").parent)
    samples = [dataset.load(files) for files in dataset.train[:3]]
    transforms = augmentation(name, void=dataset.void)
    for seed, sample in enumerate(samples):
        result = augment(sample, transforms, np.random.default_rng(seed), lambda rng: samples[0])
        assert set(np.unique(result.mask)) <= set(range(12))
        assert result.image.shape == (360, 480, 3)


def test_the_void_label_reaches_every_operation():
    sample = random_sample(labels=(0, 1))
    for name in ("rotate", "cutout"):
        result = augment(sample, steps(always(name), void=11), np.random.default_rng(0))
        assert set(np.unique(result.mask)) == {0, 1, 11}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_written_to_a_file_is_the_same_preset(name, tmp_path):
    file = tmp_path / "own.yaml"
    write_recipe(PRESETS[name], file)
    assert find_recipe(str(file)) == PRESETS[name]


def test_a_file_lists_operations_with_and_without_parameters(tmp_path):
    file = tmp_path / "own.yml"
    file.write_text("- hflip\n- rotate: {degrees: 20, p: 1}\n- copy_paste: {classes: [1, 2]}\n")
    recipe = find_recipe(str(file))
    assert recipe == Recipe(
        (
            OPERATIONS["hflip"](),
            OPERATIONS["rotate"](degrees=20, p=1),
            OPERATIONS["copy_paste"](classes=[1, 2]),
        )
    )
    file.write_text("border: reflect\noperations: [vflip]\n")
    assert find_recipe(str(file)) == Recipe((OPERATIONS["vflip"](),), border="reflect")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- rotated", "operation 1 .rotated.: unknown operation 'rotated'; did you mean 'rotate'"),
        ("- hflip\n- xyz", "operation 2 .xyz.: unknown operation 'xyz'; known are hflip, "),
        ("- rotate: {degree: 3}", "unknown parameter 'degree'; did you mean 'degrees'"),
        ("- rotate: {void: 3}", "unknown parameter 'void'; known are p, degrees"),
        ("- rotate: {degrees: ten}", r"degrees must be a number in 0..180, got 'ten'"),
        ("- rotate: {degrees: 200}", r"degrees must be a number in 0..180, got 200"),
        ("- rotate: {degrees: .nan}", r"degrees must be a number in 0..180, got nan"),
        ("- rotate: {p: true}", r"p must be a number in 0..1, got True"),
        ("- elastic: {points: 3.5}", r"points must be a whole number in 2..32, got 3.5"),
        ("- zoom: {low: 2, high: 1}", "operation 1 .zoom.: low must be at most high, got 2 and 1"),
        ("- copy_paste: {classes: []}", "classes must be a list of labels or null"),
        ("- rotate: 20", "operation 1 .rotate.: parameters must be like {p: 0.5}, got 20"),
        ("- [rotate]", "operation 1: expected a name, or a name with parameters"),
        ("- {rotate: {}, hflip: {}}", "operation 1: expected a name"),
        ("- 3: {}", "unknown operation 3; known are"),
        ("hflip", "a list of operations is expected"),
        ("operations: hflip", "a list of operations is expected"),
        ("", "a list of operations is expected"),
        ("operations: []\nborders: grey", "unknown setting 'borders'; did you mean 'border'"),
        ("operations: []\nborder: black", "border must be one of grey, reflect; got 'black'"),
        ("operations: []\nborder: []", "border must be one of grey, reflect; got .."),
        ("- mixup\n- rotate", "mixup must come after all that moves .* put rotate before it"),
        ("- mixup\n- mixup", "mixup must come after all"),
        ("- {", "no YAML file"),
    ],
)
def test_a_mistake_in_a_file_is_named_in_one_sentence(text, message, tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        find_recipe(str(file))
    assert str(error.value).startswith(f"{file}: ")
    assert "\n" not in str(error.value)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.floats()
        | st.integers()
        | st.sampled_from([*OPERATIONS, "p"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*OPERATIONS, "p", "low", "operations"]), inner, max_size=2
            )
        ),
    )
)
def test_any_content_is_a_recipe_or_a_clear_error(content):
    with contextlib.suppress(ValueError):
        assert isinstance(make_recipe(content), Recipe)


def test_a_missing_or_binary_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"none.yaml: cannot be read \(No such file"):
        augmentation(str(tmp_path / "none.yaml"))
    (tmp_path / "bad.yaml").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ValueError, match="bad.yaml: no YAML file"):
        augmentation(str(tmp_path / "bad.yaml"))


def test_an_unknown_name_is_answered_with_the_known_ones():
    known = "none, hflip, flips, turns, light, medium, strong, medical"
    with pytest.raises(ValueError, match=f"augment must be one of {known} or .*; got 'heavy'"):
        augmentation("heavy")


@pytest.mark.parametrize("kind", OPERATIONS.values())
def test_each_operation_is_frozen_named_and_explains_its_parameters(kind: type[Operation]):
    operation = kind()
    with pytest.raises(dataclasses.FrozenInstanceError):
        operation.p = 0.1
    assert OPERATIONS[operation.name] is kind
    for field in parameters(kind):
        assert field.name == "p" or f"{field.name}: " in kind.__doc__
