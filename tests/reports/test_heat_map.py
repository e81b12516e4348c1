"""A map over a picture: colours of Viridis where they belong, the picture elsewhere."""

import numpy as np
from matplotlib import colormaps

from seehear.reports.heat_map import LEAST_OPAQUE, MOST_OPAQUE, enlarged_cells, overlaid


def test_the_hottest_and_the_coldest_place_have_their_colours() -> None:
    pictures = np.full((1, 8, 16, 3), 100, np.uint8)
    found = overlaid(pictures, [np.array([[0.0, 1.0]], np.float32)])
    for column, level, opaque in ((0, 0.0, LEAST_OPAQUE), (15, 1.0, MOST_OPAQUE)):
        colour = np.array(colormaps["viridis"](level)[:3]) * 255
        assert np.abs(found[0, 4, column] - ((1 - opaque) * 100 + opaque * colour)).max() <= 1
    assert (pictures == 100).all()


def test_without_a_map_and_outside_of_its_region_pictures_stay() -> None:
    pictures = np.arange(2 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 8, 8, 3)
    found = overlaid(pictures, [None, np.ones((2, 2), np.float32)], (0.25, 0.0, 0.75, 1.0))
    np.testing.assert_array_equal(found[0], pictures[0])
    np.testing.assert_array_equal(found[1, :, :2], pictures[1, :, :2])
    np.testing.assert_array_equal(found[1, :, 6:], pictures[1, :, 6:])
    assert (found[1, :, 2:6] != pictures[1, :, 2:6]).any(axis=-1).all()


def test_cells_are_enlarged_between_their_middles() -> None:
    """Against NumPy's interpolation, one axis after the other."""
    values = np.random.default_rng(0).random((3, 4)).astype(np.float32)
    rows, columns = (np.arange(30) + 0.5) / 10 - 0.5, (np.arange(48) + 0.5) / 12 - 0.5
    down = np.stack([np.interp(rows, np.arange(3), column) for column in values.T], axis=1)
    expected = np.stack([np.interp(columns, np.arange(4), row) for row in down])
    np.testing.assert_allclose(enlarged_cells(values, (30, 48)), expected, atol=1e-5)
