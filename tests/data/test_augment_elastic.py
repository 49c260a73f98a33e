import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from kseg.data.augment.placing import Lattice, draw_field
from tests.data.augment_cases import always


@pytest.mark.parametrize("points", [2, 3, 5])
def test_the_points_of_an_elastic_grid_move_as_drawn(points):
    elastic = always("elastic", points=points, sd=8.0)
    places = np.linspace(0, 1, points)
    moves = elastic.moves(np.random.default_rng(4), (60, 90), 60 * places, 90 * places)
    # 8 pixels at 512x512 are 8 * sqrt(60 * 90) / 512 = 1.148 pixels here.
    sd = 8 * np.sqrt(60 * 90) / 512
    drawn = np.random.default_rng(4).normal(0, sd, (2, points, points))
    np.testing.assert_allclose(moves, drawn, atol=1e-9)


def test_dense_displacements_are_distributed_as_blurred_noise_is():
    size, sigma, alpha = (256, 256), 0.05, 1.5
    blur = sigma * 256
    rng = np.random.default_rng(0)
    reference = [
        gaussian_filter(rng.uniform(-1, 1, (512, 512)), blur)[128:384, 128:384] * alpha * 256
        for _ in range(16)
    ]
    dense = always("elastic_dense", alpha=alpha, sigma=sigma)
    places = np.arange(256) + 0.5
    ours = np.concatenate([dense.moves(rng, size, places, places) for _ in range(16)])
    assert np.std(reference) == pytest.approx(0.163 * alpha / sigma, rel=0.1)
    assert ours.std() == pytest.approx(np.std(reference), rel=0.1)
    step = round(blur)
    for fields in (reference, ours):
        together = np.mean([f[:, :-step] * f[:, step:] for f in fields]) / np.var(fields)
        # Gaussian after Gaussian: exp(-d^2 / (4 s^2)) = exp(-1/4) at d = s.
        assert together == pytest.approx(np.exp(-0.25), abs=0.06)


@pytest.mark.parametrize("size", [(200, 260), (301, 250), (40, 48)])
@pytest.mark.parametrize("name", ["elastic", "elastic_dense"])
def test_displacements_between_the_computed_points_are_right(name, size):
    operation = always(name)
    field = draw_field([operation], np.random.default_rng(5), size)
    lattice = field.lattice
    # Points at half pixels from the first to the last: pixel centres are among them.
    grid = [np.arange(p[0], p[-1] + 0.25, 0.5) for p in (lattice.rows, lattice.columns)]
    exact = operation.moves(np.random.default_rng(5), size, *grid)
    first = lattice.step + 1
    exact = exact[:, first::2, first::2][:, : size[0], : size[1]]
    assert grid[0][first] == 0.5
    pixels = lattice.to_pixels(np.moveaxis(field.moves, 0, -1).astype("float32"))
    assert pixels.shape == (*size, 2)
    away = np.abs(pixels - np.moveaxis(exact, 0, -1)).max()
    assert away < max(np.abs(exact).max() / 30, 1e-5)


def test_a_lattice_of_every_pixel_has_the_centres():
    lattice = Lattice((20, 30), 1)
    np.testing.assert_allclose(lattice.rows[1:-1], np.arange(20) + 0.5)
    np.testing.assert_allclose(lattice.columns[1:-1], np.arange(30) + 0.5)
