import random

import numpy as np
import pytest
from PIL import Image

from kseg.commands import write_augmented
from kseg.config import AugmentationConfig, UsageError, parse_config
from kseg.data.augment.augmentor import COLOURING, DEFAULT_OPERATIONS, MOVING, make_steps, run_steps
from kseg.data.io import write_mask
from kseg.palette import class_palette

# Augmentor's skews use numpy.matrix.
pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")

PARAMETERS = {
    "rotate": {"max_left_rotation": 20, "max_right_rotation": 20},
    "rotate_without_crop": {"max_left_rotation": 20, "max_right_rotation": 20},
    "zoom": {"min_factor": 1.1, "max_factor": 1.6},
    "zoom_random": {"percentage_area": 0.7},
    "crop_by_size": {"width": 70, "height": 60},
    "crop_centre": {"percentage_area": 0.7},
    "crop_random": {"percentage_area": 0.7},
    "scale": {"scale_factor": 1.5},
    "resize": {"width": 60, "height": 90},
    "shear": {"max_shear_left": 15, "max_shear_right": 15},
    "skew": {"magnitude": 0.4},
    "skew_tilt": {"magnitude": 0.4},
    "skew_corner": {"magnitude": 0.4},
    "skew_left_right": {"magnitude": 0.4},
    "skew_top_bottom": {"magnitude": 0.4},
    "random_distortion": {"grid_width": 4, "grid_height": 4, "magnitude": 6},
    "gaussian_distortion": {
        "grid_width": 4,
        "grid_height": 4,
        "magnitude": 6,
        "corner": "bell",
        "method": "in",
    },
    "random_brightness": {"min_factor": 0.6, "max_factor": 1.4},
    "random_color": {"min_factor": 0.2, "max_factor": 1.4},
    "random_contrast": {"min_factor": 0.6, "max_factor": 1.4},
    "random_erasing": {"rectangle_area": 0.4},
}


def only(name):
    return make_steps({name: {"probability": 1, **PARAMETERS.get(name, {})}})


def blocks(size=(96, 120), labels=(0, 3, 5)):
    """Large blocks of labels, and an image that says them: 40 times the label."""
    rng = np.random.default_rng(0)
    coarse = rng.choice(labels, (size[0] // 24, size[1] // 24)).astype("uint8")
    mask = np.kron(coarse, np.ones((24, 24), "uint8"))
    return np.repeat((40 * mask)[..., None], 3, axis=2), mask


@pytest.mark.parametrize("name", [*MOVING, *COLOURING])
def test_no_operation_invents_a_label(name):
    image, mask = blocks()
    for seed in range(6):
        result = run_steps(only(name), image, mask, [seed])
        assert set(np.unique(result.labels[result.known])) <= {0, 3, 5}
        assert result.labels.dtype == np.uint8
        assert result.image.shape == (*result.labels.shape, 3)


@pytest.mark.parametrize("name", MOVING)
def test_labels_move_as_the_image_does(name):
    image, mask = blocks()
    for seed in range(6):
        result = run_steps(only(name), image, mask, [seed])
        # Where the image is as in a block's inside, it says the label.
        told = result.image[..., 0].astype(int)
        inside = result.known & (np.abs(told - 40 * np.rint(told / 40)) <= 1)
        inside &= np.isin(np.rint(told / 40), (0, 3, 5))
        assert inside.mean() > 0.3
        assert (np.rint(told / 40) == result.labels)[inside].mean() >= 0.995


@pytest.mark.parametrize("name", MOVING)
def test_operations_that_move_do_move(name):
    image, mask = blocks()
    results = [run_steps(only(name), image, mask, [seed]).labels for seed in range(4)]
    assert any(one.shape != mask.shape or (one != mask).any() for one in results)


@pytest.mark.parametrize("name", COLOURING)
def test_operations_on_colours_leave_labels_alone(name):
    image, mask = blocks(labels=(1, 3, 5))
    image = np.clip(image + np.arange(120, dtype="uint8")[:, None] % 32, 0, 255).astype("uint8")
    image[..., 0] //= 2
    results = [run_steps(only(name), image, mask, [seed]) for seed in range(4)]
    assert all((one.labels == mask).all() and one.known.all() for one in results)
    assert any((one.image != image).any() for one in results)


def test_pixels_that_no_image_covers_are_known_as_such():
    image, mask = np.full((90, 90, 3), 200, "uint8"), np.full((90, 90), 3, "uint8")
    for seed in range(8):
        result = run_steps(only("rotate_without_crop"), image, mask, [seed])
        dark = result.image[..., 0] < 100
        assert not result.known[dark].any()
        assert (result.image[result.known] == 200).all()
        assert abs((~result.known).mean() - dark.mean()) < 0.03


def test_the_programs_own_random_numbers_go_on_as_if_nothing_had_been():
    image, mask = blocks()
    steps = make_steps(DEFAULT_OPERATIONS)
    random.seed(5)
    np.random.seed(5)
    expected = random.random(), np.random.random()
    random.seed(5)
    np.random.seed(5)
    first = run_steps(steps, image, mask, [1, 2])
    assert (random.random(), np.random.random()) == expected
    again = run_steps(steps, image, mask, [1, 2])
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.labels, again.labels)


def test_steps_happen_with_their_probability():
    image, mask = blocks()
    steps = make_steps({"flip_left_right": {"probability": 0.3}})
    flips = [(run_steps(steps, image, mask, [k]).labels != mask).any() for k in range(300)]
    assert 0.22 < np.mean(flips) < 0.38


@pytest.mark.parametrize(
    ("operations", "message"),
    [
        ({"rotated": {}}, "unknown operation 'rotated'; did you mean 'rotate'"),
        ({"set_seed": {"seed": 1}}, "unknown operation 'set_seed'"),
        ({"rotate": {"probability": 1}}, "rotate: missing a required argument: 'max_left"),
        ({"flip_random": {"probabilities": 1}}, "flip_random: unknown .* mean 'probability'"),
        ({"flip_random": {"probability": 2}}, "flip_random: The probability argument must be"),
        ({"zoom_random": {"probability": 1, "percentage_area": 5}}, "zoom_random: "),
    ],
)
def test_a_wrong_operation_is_named(operations, message):
    with pytest.raises(ValueError, match=message):
        make_steps(operations)


@pytest.fixture
def folders(tmp_path):
    """Flags of the command for two images with label maps, and the folders."""
    image, mask = blocks()
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for stem in ("a", "b.c"):
        Image.fromarray(image).save(tmp_path / "images" / f"{stem}.jpg", quality=95)
        write_mask(tmp_path / "masks" / f"{stem}.png", mask, class_palette())
    flags = ["--train_path", "images", "--mask_path", "masks"]
    flags += ["--augtrain_path", "new/images", "--augtrain_mask", "new/masks"]
    return [str(tmp_path / f) if not f.startswith("--") else f for f in flags], tmp_path


def augment(flags, *more):
    write_augmented(parse_config(AugmentationConfig, [*flags, *more]))


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def test_the_command_writes_five_pairs_per_image_named_after_it(folders, capsys):
    flags, root = folders
    augment(flags)
    expected = {f"{stem}_aug{k}.png" for stem in ("a", "b.c") for k in range(1, 6)}
    for kind in ("images", "masks"):
        assert {path.name for path in (root / "new" / kind).iterdir()} == expected
    for name in expected:
        with Image.open(root / "new/images" / name) as image:
            assert (image.mode, image.size) == ("RGB", (120, 96))
        with Image.open(root / "new/masks" / name) as labels:
            assert (labels.mode, labels.size) == ("P", (120, 96))
            assert set(np.unique(labels)) <= {0, 3, 5, 255}
    assert "wrote 10 images" in capsys.readouterr().out


def test_the_same_seed_writes_the_same_files_and_another_does_not(folders):
    flags, root = folders
    augment(flags)
    first = contents(root / "new")
    augment(flags, "--overwrite")
    assert contents(root / "new") == first
    augment(flags, "--overwrite", "--seed", "1")
    other = contents(root / "new")
    assert other.keys() == first.keys()
    assert sum(other[name] != first[name] for name in first) > 10


def test_copies_do_not_depend_on_their_number(folders):
    flags, root = folders
    augment(flags, "--number", "1")
    few = contents(root / "new")
    augment(flags, "--overwrite")
    many = contents(root / "new")
    assert few.items() <= many.items()


def test_files_that_are_there_are_kept(folders):
    flags, root = folders
    kept = root / "new" / "masks" / "b.c_aug5.png"
    kept.parent.mkdir(parents=True)
    kept.write_text("mine")
    with pytest.raises(ValueError, match=r"b.c_aug5.png is there already \(1 of 20 files"):
        augment(flags)
    assert contents(root / "new") == {"masks/b.c_aug5.png": b"mine"}
    augment(flags, "--overwrite")
    assert len(contents(root / "new")) == 20


def test_operations_and_format_can_be_chosen(folders):
    flags, root = folders
    operations = '{"invert": {"probability": 1}, "rotate90": {"probability": 1}}'
    augment(flags, "--operations", operations, "--number", "1", "--image_format", "jpg")
    image, mask = blocks()
    with Image.open(root / "new/masks/a_aug1.png") as labels:
        np.testing.assert_array_equal(np.asarray(labels), np.rot90(mask))
    with Image.open(root / "new/images/a_aug1.jpg") as result:
        assert np.abs(np.asarray(result).astype(int) - (255 - np.rot90(image))).mean() < 8


def test_uncovered_pixels_get_the_label_that_is_asked_for(folders):
    flags, root = folders
    operations = (
        '{"rotate_without_crop": {"probability": 1, "max_left_rotation": 25, '
        '"max_right_rotation": 25}}'
    )
    seen = {}
    for label in ("255", "9"):
        augment(flags, "--operations", operations, "--ignore_class", label, "--overwrite")
        files = sorted((root / "new/masks").iterdir())
        seen[label] = {int(v) for file in files for v in np.unique(np.asarray(Image.open(file)))}
    assert seen == {"255": {0, 3, 5, 255}, "9": {0, 3, 5, 9}}
    for stem in ("a", "b.c"):
        binary = blocks(labels=(0, 255))[1]
        write_mask(root / "masks" / f"{stem}.png", binary, class_palette())
    with pytest.raises(ValueError, match="a.png: 255 is a class here, .* --ignore_class"):
        augment(flags, "--operations", operations, "--overwrite")


def test_the_folders_must_differ(folders):
    flags, root = folders
    with pytest.raises(ValueError, match="four different folders"):
        augment([*flags, "--augtrain_path", str(root / "images")])


def test_deep_images_are_refused(folders):
    flags, root = folders
    (root / "images" / "a.jpg").unlink()
    Image.fromarray(np.zeros((96, 120), "uint16")).save(root / "images" / "a.png")
    with pytest.raises(ValueError, match=r"a.png: Augmentor works on 8-bit images only"):
        augment(flags)


def test_both_names_of_the_flag_for_label_maps_work():
    assert parse_config(AugmentationConfig, ["--augmask_path", "x"]).augtrain_mask == "x"
    assert parse_config(AugmentationConfig, ["--augtrain_mask", "x"]).augtrain_mask == "x"
    with pytest.raises(UsageError, match="mean the same"):
        parse_config(AugmentationConfig, ["--augmask_path", "x", "--augtrain_mask", "y"])
    with pytest.raises(UsageError, match="--number must be at least 1"):
        parse_config(AugmentationConfig, ["--number", "0"])


def test_an_operation_that_fails_on_an_image_is_named():
    grid = {"probability": 1, "grid_width": 0, "grid_height": 4, "magnitude": 3}
    steps = make_steps({"random_distortion": grid})
    with pytest.raises(ValueError, match="random_distortion fails on an image of 120x96: "):
        run_steps(steps, *blocks(), [0])


def test_the_script_knows_the_flags(run_script):
    result = run_script("tools/augmentation.py", "--help")
    assert result.returncode == 0, result.stderr
    for flag in ("train_path", "mask_path", "augtrain_path", "augtrain_mask", "augmask_path"):
        assert f"--{flag}" in result.stdout
