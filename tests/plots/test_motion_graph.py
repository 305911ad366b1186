"""The motion graph: what moves, when, and which of it is an event."""

from datetime import UTC, datetime

import numpy as np
import pytest

from bgsub.plots.figures import save_figure
from bgsub.plots.motion_graph import MotionGraph, motion_figure


def drawn(graph):
    figure = motion_figure(graph)
    figure.canvas.draw()
    (axes,) = figure.axes
    return figure, axes


def ticks(axes):
    return [label.get_text() for label in axes.get_xticklabels()]


def test_events_are_shaded_where_they_are_and_numbered():
    graph = MotionGraph("yard", np.arange(100) / 10, np.linspace(0, 0.2, 100), 10.0, [(1, 2.0, 3.5), (2, 7.0, 9.0)])
    _, axes = drawn(graph)
    spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]
    assert spans == [pytest.approx((2.0, 3.5)), pytest.approx((7.0, 9.0))]
    assert [(text.get_text(), text.get_position()[0]) for text in axes.texts] == [("1", 2.75), ("2", 8.0)]
    assert axes.get_title(loc="left") == "yard: 2 events"
    assert axes.get_xlim() == (0.0, 10.0)


def test_no_peak_is_lost_of_a_day_and_numbers_do_not_run_into_each_other():
    shares = np.zeros(4096)
    shares[[17, 2051]] = 0.5, 0.25
    events = [(n, 20.0 * n, 20.0 * n + 5) for n in range(1, 400)]
    _, axes = drawn(MotionGraph("day", np.arange(4096) * 21.1, shares, 86_400.0, events))
    (area,) = axes.collections
    heights = area.get_paths()[0].vertices[:, 1]
    assert set(np.unique(heights)) == {0.0, 25.0, 50.0}
    assert 1 <= len(axes.texts) <= 50
    places = [text.get_position()[0] for text in axes.texts]
    assert min(np.diff(places), default=np.inf) >= 0.02 * 86_000


@pytest.mark.parametrize(
    ("duration", "began", "first", "last"),
    [
        (10.0, None, "0:00:00", "0:00:10"),
        (0.3, None, "0:00:00", "0:00:00.30"),
        (86_400.0, None, "0:00:00", "24:00:00"),
        (86_400.0, datetime(2026, 1, 2, 18, 3, 7, 500_000, tzinfo=UTC), "21:00:00", "18:00:00"),
        (100.0, datetime(2026, 1, 2, 23, 59, 30, tzinfo=UTC), "23:59:30", "00:01:00"),
        (30 * 86_400.0, None, "0:00:00", "672:00:00"),
    ],
)
def test_times_are_round_on_the_clock(duration, began, first, last):
    _, axes = drawn(MotionGraph("a", np.array([0.0]), np.array([0.1]), duration, began=began))
    assert (ticks(axes)[0], ticks(axes)[-1]) == (first, last)
    assert 3 <= len(ticks(axes)) <= 10


@pytest.mark.parametrize(
    ("times", "shares"),
    [([], []), ([0.0], [0.0]), (np.arange(9) / 25, np.zeros(9)), ([5.0, 5.1], [0.0, 1.0]), ([0.0], [1e-6])],
)
def test_every_recording_has_a_graph(tmp_path, times, shares):
    figure, axes = drawn(MotionGraph("a$b", np.array(times), np.array(shares), 6.0))
    assert axes.get_title(loc="left") == r"a\$b: nothing moves"
    save_figure(figure, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
