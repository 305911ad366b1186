"""Timelines show the numbers that they were given."""

import numpy as np
import pytest
from PIL import Image

from bgsub.plots import timeline as timeline_module
from bgsub.plots.figures import colours, save_figure
from bgsub.plots.timeline import Timeline, timeline_figure


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
    monkeypatch.setattr(timeline_module, "_COLUMNS", 10)
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


def test_marks_lie_within_the_axes():
    given = timeline()
    lowest = given.curves["log-density"].argmin()
    axes = timeline_figure(timeline(unusual=(lowest,))).axes[-1]
    low, high = axes.get_ylim()
    values = given.curves["log-density"]
    assert values.min() - low >= 0.1 * (values.max() - values.min())
    assert axes.lines[1].get_ydata() == [values.min()] and high > values.max()
    assert axes.lines[1].get_marker() == "D"


def test_long_stretches_carry_the_number_of_their_kind():
    labels = np.repeat([1, 0, 2, 0], [10, 1, 20, 60])  # one frame of 91 is too short
    given = timeline(91)
    given = Timeline(given.times, np.eye(3)[labels] * 0.9 + 1 / 30, given.names, given.curves)
    bar = timeline_figure(given).axes[0]
    assert [text.get_text() for text in bar.texts] == ["1", "2", "0"]
    places = [text.get_position() for text in bar.texts]
    assert [x for x, _ in places] == pytest.approx([2.5, 4.1, 8.1])
    assert [y for _, y in places] == pytest.approx([1 / 30 + 0.28 / 0.6, 2 / 30 + 0.28 / 0.6, 0.28 / 0.6], abs=0.01)


def test_times_are_written_as_everywhere():
    axes = timeline_figure(timeline()).axes[-1]
    write = axes.xaxis.get_major_formatter()
    assert [write(t, 0) for t in (0.0, 2.5, 75.0, 3600.0)] == ["0:00:00", "0:00:02.50", "0:01:15", "1:00:00"]
