"""Timelines and contact sheets show the numbers and pictures that they were given."""

import numpy as np
import pytest
from matplotlib.image import AxesImage
from PIL import Image

from bgsub.plots import scenes
from bgsub.plots.figures import colours, save_figure
from bgsub.plots.scenes import SheetRow, Timeline, sheet_figure, timeline_figure


def timeline(n=40, k=3, unusual=(4, 31)):
    rng = np.random.default_rng(0)
    curves = {"brightness": rng.uniform(10, 60, n), "log-density": rng.normal(-3, 1, n)}
    probabilities = rng.dirichlet(np.ones(k), n)
    return Timeline(np.arange(n) / 10 + 2, probabilities, [f"kind {i}" for i in range(k)], curves, unusual)


def test_a_timeline_has_the_curves_and_marks():
    given = timeline()
    figure = timeline_figure(given)
    bar, first, second = figure.axes
    assert [first.get_ylabel(), second.get_ylabel()] == list(given.curves)
    for axes, values in zip((first, second), given.curves.values(), strict=True):
        assert np.allclose(axes.lines[0].get_xydata(), np.column_stack([given.times, values]))
    marks = second.lines[1].get_xydata()
    assert np.allclose(marks, [[given.times[row], given.curves["log-density"][row]] for row in given.unusual])
    assert [text.get_text() for text in bar.get_legend().get_texts()] == given.names
    assert bar.get_xlim() == pytest.approx((2.0, 6.0))  # the last frame lasts as long as the others


def test_the_heights_are_the_probabilities():
    given = timeline()
    bar = timeline_figure(given).axes[0]
    sums = np.cumsum(given.probabilities, axis=1)
    for k, area in enumerate(bar.collections):
        assert np.allclose(area.get_facecolor()[0, :3], colours(3)[k])
        top = {(round(x, 6), round(y, 6)) for x, y in area.get_paths()[0].vertices}
        assert {(round(t, 6), round(s, 6)) for t, s in zip(given.times, sums[:, k], strict=True)} <= top


def test_many_frames_become_columns(monkeypatch):
    monkeypatch.setattr(scenes, "_COLUMNS", 10)
    given = timeline(100)
    _, first, second = timeline_figure(given).axes
    brightness, density = given.curves.values()
    assert np.allclose(first.lines[0].get_ydata(), brightness.reshape(10, 10).mean(axis=1))
    assert np.allclose(second.lines[0].get_ydata(), density.reshape(10, 10).min(axis=1))
    assert np.allclose(first.lines[0].get_xdata(), given.times[::10])


@pytest.mark.parametrize("n", [1, 2])
def test_short_timelines(tmp_path, n):
    save_figure(timeline_figure(timeline(n, unusual=())), tmp_path / "t.png")
    with Image.open(tmp_path / "t.png") as picture:
        assert picture.width > 1000


def sheet(rng, grey=False):
    shape = (30, 40) if grey else (30, 40, 3)
    rows = [
        ("kind 0", "60.0%\nhorizontal edges +1.5 sd", (0.2, 0.4, 0.7), 5),
        ("kind 1", "40.0%", (0.9, 0.5, 0.2), 2),
        ("unusual", "", "#d1121f", 3),
    ]
    return [
        SheetRow(title, details, colour, [rng.integers(0, 256, shape, np.uint8) for _ in range(n)], ["1.00 s"] * n)
        for title, details, colour, n in rows
    ]


@pytest.mark.parametrize("grey", [False, True])
def test_a_sheet_shows_the_pictures(grey):
    rows = sheet(np.random.default_rng(1), grey)
    shown = [axes for axes in sheet_figure(rows).axes if axes.images]
    pictures = [picture for row in rows for picture in row.pictures]
    assert len(shown) == len(pictures) == 10
    for axes, picture in zip(shown, pictures, strict=True):
        (image,) = axes.images
        assert isinstance(image, AxesImage)
        assert np.array_equal(image.get_array(), picture if grey else picture[:, :, ::-1])
        assert axes.get_xlabel() == "1.00 s"


def test_a_sheet_names_its_rows_and_nothing_overlaps(tmp_path):
    rows = sheet(np.random.default_rng(1))
    figure = sheet_figure(rows)
    texts = [text.get_text() for axes in figure.axes if not axes.images for text in axes.texts]
    assert texts == [text for row in rows for text in (row.title, row.details)]
    labels = [text.get_window_extent() for axes in figure.axes for text in axes.texts]
    assert max(label.x1 for label in labels) < min(axes.get_window_extent().x0 for axes in figure.axes if axes.images)
    save_figure(figure, tmp_path / "s.png")
    with Image.open(tmp_path / "s.png") as picture:
        assert picture.width == 1440
    boxes = [axes.get_tightbbox() for axes in figure.axes if axes.images]
    for i, box in enumerate(boxes):
        assert box.y0 >= 0 and box.x1 <= figure.bbox.width
        for other in boxes[:i]:
            assert not (box.shrunk(0.97, 0.97).overlaps(other.shrunk(0.97, 0.97)))
