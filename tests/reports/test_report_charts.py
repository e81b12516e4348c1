"""Charts, the map and the bars: what is drawn is where it should be."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear.contracts import Figure
from seehear.errors import UsageError
from seehear.reports import Curve, EmbeddingMap
from seehear.reports.chart import MOST_POINTS, Axis, chart, charts, round_ticks, thin
from seehear.reports.meter import meter
from seehear.reports.palette import CLASSES, class_style
from seehear.reports.scatter import MOST_POINTS as MOST_MARKS
from seehear.reports.scatter import scatter
from tests.reports.report_pages import Reader


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 8))
def test_ticks_are_round_and_inside(low, width, count):
    ticks = round_ticks(low, low + width, count)
    assert all(low - 1e-6 * width <= t <= low + width * (1 + 1e-6) for t in ticks)
    assert 1 <= len(ticks) <= 2.5 * count + 1
    gaps = np.diff(ticks)
    if len(gaps):
        assert f"{gaps[0]:.3e}"[0] in "1259"  # 9: 0.9999 of a rounding
        np.testing.assert_allclose(gaps, gaps[0], rtol=1e-4)


def test_thinning_keeps_mean_and_range():
    values = np.random.default_rng(0).normal(size=100 * MOST_POINTS)
    rows = thin(np.arange(len(values)), values)
    assert len(rows) == MOST_POINTS
    blocks = values.reshape(MOST_POINTS, 100)
    np.testing.assert_allclose(rows[:, 1:], np.stack([blocks.mean(1), blocks.min(1), blocks.max(1)], 1))


def test_thinning_sorts_steps_and_leaves_gaps():
    rows = thin(np.array([3, 1, 2]), np.array([30.0, 10.0, np.nan]))
    np.testing.assert_array_equal(rows[:, :2], [[1, 10], [2, np.nan], [3, 30]])
    with pytest.raises(UsageError, match="steps"):
        thin(np.arange(3), np.arange(4))


def test_a_line_goes_through_its_points():
    markup = chart("loss", [Curve("loss", np.array([0, 10, 20]), np.array([4.0, 2.0, 3.0]))])
    path = re.search(r'd="M([^"]*)" class="stroke"', markup)[1]
    points = np.array([list(map(float, p.split())) for p in path.split("L")])
    assert points[0, 0] < points[1, 0] < points[2, 0]
    assert points[1, 0] - points[0, 0] == pytest.approx(points[2, 0] - points[1, 0])
    fall, rise = points[1, 1] - points[0, 1], points[1, 1] - points[2, 1]  # downward is larger in SVG
    assert fall == pytest.approx(2 * rise, abs=0.2)
    assert "4 → 3" in Reader(markup).text


@pytest.mark.parametrize(
    "values", [[], [1.0], [2.0, 2.0, 2.0], [np.nan, np.nan], [np.inf, 1.0], [1.0, np.nan, 2.0, 3.0]]
)
def test_hard_curves(values):
    values = np.array(values, dtype=float)
    page = Reader(chart("x", [Curve("x", np.arange(len(values)), values)]))
    drawn = np.isfinite(values).any()
    assert ("No finite value was recorded." in page.text) == (not drawn)
    assert "nan" not in page.text.replace("finite", "")
    assert not any("nan" in (a.get("d") or "") for a in page.all("path"))


def test_curves_of_one_chart_share_it_and_keep_their_senses_colours():
    lines = [Curve(name, np.arange(3), np.arange(3), chart="c") for name in ("total", "picture", "sound", "sound two")]
    drawn = charts([*lines, Curve("other", np.arange(3), np.arange(3))])
    assert len(drawn) == 2
    assert [a["class"] for a in Reader(drawn[0]).of_class("line")] == ["line l2", "line l0", "line l1", "line l3"]


def test_a_constant_axis_has_room():
    axis = Axis(5.0, 5.0, 0, 100, 4)
    assert axis(5.0) == pytest.approx(50)


def test_the_map_draws_both_modalities_in_one_frame():
    audio, image = np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([[0.0, 5.0], [10.0, 5.0]])
    markup = scatter(EmbeddingMap(audio, image, np.array([0, 1]), None, ("bell", "drum"), ("a", "b")))
    page = Reader(markup)
    discs = [(float(a["cx"]), float(a["cy"])) for a in page.all("circle") if "data-i" in a]
    triangles = [re.match(r"M([\d.]+) ([\d.]+)l", a["d"]) for a in page.all("path") if "data-i" in a]
    assert len(discs) == len(triangles) == 2
    assert discs[0][1] == discs[1][1]
    assert all(float(t[2]) < discs[0][1] for t in triangles)  # larger values are further up
    across, up = discs[1][0] - discs[0][0], discs[0][1] - (float(triangles[0][2]) + 1.25 * 4.6)
    assert across == pytest.approx(2 * up, abs=0.3)  # the same scale on both axes
    names = json.loads(re.search(r'class="map-data">(.*?)</script>', markup)[1])
    assert names == {"classes": ["bell", "drum"], "names": {"0": "a", "1": "b"}, "paired": True}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_maps_of_few_or_equal_points(count):
    page = Reader(scatter(EmbeddingMap(np.zeros((count, 2)), np.zeros((0, 2)))))
    assert len([a for a in page.all("circle") if "data-i" in a]) == count
    assert ("There were no embeddings to draw." in page.text) == (count == 0)


def test_many_classes_and_points():
    rng = np.random.default_rng(0)
    labels = np.r_[np.arange(30), rng.integers(0, 20, 5000)]
    points = rng.normal(size=(5030, 2))
    page = Reader(scatter(EmbeddingMap(points, points[:7], labels, labels[:7], tuple(f"k{i}" for i in range(30)))))
    assert len([b for b in page.all("button") if "data-class" in b]) == CLASSES
    assert "other classes" in page.text
    assert len([a for a in page.all("circle") if "data-i" in a]) <= MOST_MARKS


def test_labels_out_of_range_are_no_class():
    page = Reader(scatter(EmbeddingMap(np.eye(2), np.eye(2), np.array([-1, 7]), None, ("bell",))))
    assert page.all("button") == []
    assert class_style(-1) == class_style(CLASSES) == "c-none"
    assert len({class_style(i) for i in range(CLASSES)}) == CLASSES


@pytest.mark.parametrize(
    ("figure", "left", "width", "dot"),
    [
        (Figure("a", 0.5, 0.1, ceiling=1.0), 10, 40, 50),
        (Figure("a", 0.2, 0.1, ceiling=0.4), 25, 25, 50),
        (Figure("a", 0.5, 0.1), 10, 40, 50),  # a share without ceiling: up to 1
        (Figure("a", 20.0, 100.0, ceiling=0.0, higher_is_better=False), 0, 80, 80),
        (Figure("a", 0.5, None, 1.0, 0.0, {"mean": 0.75}, False), 25, 25, 50),  # from the best baseline
        (Figure("a", 0.05, 0.1, ceiling=1.0), 5, 5, 5),  # worse than chance
        (Figure("a", 2.0, 1.0, ceiling=1.5), 50, 50, 100),  # past its ceiling
    ],
)
def test_the_bar_runs_from_the_floor_to_the_value(figure, left, width, dot):
    page = Reader(meter(figure))
    fill = page.of_class("fill")[0]["style"]
    assert [float(x) for x in re.findall(r"[\d.]+", fill)] == [left, width]
    assert page.of_class("dot")[0]["style"] == f"left:{float(dot)}%"
    assert bool(page.of_class("worse")) == (figure.chance == 0.1 and figure.value == 0.05)


def test_the_interval_is_paler_and_nothing_to_read_against_is_no_bar():
    page = Reader(meter(Figure("a", 0.5, 0.1, ceiling=1.0, lower_bound=0.3)))
    assert page.of_class("unsure")[0]["style"] == "left:30.00%;width:20.00%"
    assert meter(Figure("a", 0.5)) is None
    assert meter(Figure("a", float("nan"), 0.5)) is None
    assert Reader(meter(Figure("a", 0.5, 0.5))).of_class("dot")
    assert Reader(meter(Figure("a", 0.0, 0.0))).of_class("dot")
