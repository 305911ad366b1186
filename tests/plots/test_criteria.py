"""Curves of criteria: every fitted point, the best one marked, the decision large enough to be seen."""

import math

import numpy as np

from bgsub.plots.criteria import criterion_figure


def sound(*values):
    """A curve of fits from one component on, all of which can be the best."""
    return [(count, value, True) for count, value in enumerate(values, 1)]


PANELS = {
    "bic": {"full": sound(30.0, 10.0, math.inf), "diag": sound(40.0, 25.0, 12.0)},
    "aic": {"full": sound(29.0, 9.0, math.inf), "diag": sound(39.0, 24.0, 11.0)},
}
CUSTOMERS = {  # a criterion as of thousands of rows: the decision is a hair on an axis that shows everything
    "full": [21_030, 16_600, 15_931, 15_988, 16_040, 16_090],
    "diag": [21_010, 16_700, 16_050, 16_010, 16_002, 16_060],
    "spherical": [21_010, 16_700, 16_050, 16_010, 16_002, 16_060],
}


def of_customers():
    curves = {name: sound(*map(float, values)) for name, values in CUSTOMERS.items()}
    return criterion_figure({"bic": curves}, ("bic", "full", 3))


def test_curves_and_the_best_point():
    figure = criterion_figure(PANELS, ("bic", "full", 2))
    bic, aic = figure.axes
    titles = [axes.get_title().splitlines()[0] for axes in figure.axes]
    assert titles == ["BIC: lower is better", "AIC: lower is better"]
    for axes, curves in ((bic, PANELS["bic"]), (aic, PANELS["aic"])):
        for line, (name, curve) in zip(axes.lines, curves.items(), strict=True):
            assert line.get_label() == name
            drawn = line.get_xydata()
            assert np.array_equal(drawn[np.isfinite(drawn[:, 1])], [p[:2] for p in curve if math.isfinite(p[1])])
    assert np.array_equal(bic.collections[0].get_offsets(), [[2, 10]])
    assert [text.get_text() for text in bic.texts] == ["2, full: 10"]
    assert not aic.collections and not aic.texts
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["full", "diag"]


def test_the_axis_shows_the_decision_and_tells_what_it_leaves_out():
    (axes,) = of_customers().axes
    low, high = axes.get_ylim()
    assert low < 15_931 and high > 16_010
    assert (15_988 - 15_931) / (high - low) > 0.2  # the best and the next best of its curve are well apart
    values = [value for curve in CUSTOMERS.values() for value in curve]
    above = sum(value > high for value in values)
    assert above > 0
    assert axes.get_title().splitlines()[1] == f"{above} of 18 values lie above, up to 21,030"


def test_values_that_lie_together_are_all_shown():
    curves = {"full": sound(40.0, 30.0, 35.0)}
    (axes,) = criterion_figure({"bic": curves}, ("bic", "full", 2)).axes
    low, high = axes.get_ylim()
    assert low < 30 and high > 40
    assert axes.get_title() == "BIC: lower is better"


def test_curves_that_lie_on_each_other_are_both_seen():
    """By shape, size and dashes, and no marker is filled."""
    diag, spherical = of_customers().axes[0].lines[1:]
    assert np.array_equal(diag.get_ydata(), spherical.get_ydata())
    assert diag.get_marker() != spherical.get_marker()
    assert diag.get_markersize() > spherical.get_markersize() and diag.get_markerfacecolor() == "none"
    assert diag.get_linewidth() > spherical.get_linewidth()
    assert diag._dash_pattern != spherical._dash_pattern


def test_one_value_and_equal_values():
    for values in ([5.0], [5.0, 5.0], [-3.0, -3.0], [math.inf, 7.0]):
        curves = {"full": sound(*values)}
        best = min(range(len(values)), key=values.__getitem__) + 1
        low, high = criterion_figure({"bic": curves}, ("bic", "full", best)).axes[0].get_ylim()
        assert low < values[best - 1] < high


def test_what_has_collapsed_is_a_cross_on_no_curve_and_does_not_stretch_the_axis():
    full = [(1, 40.0, True), (2, -9000.0, False), (3, 35.0, True)]
    tied = [(1, 41.0, True), (2, 39.0, False), (3, -8000.0, False)]
    figure = criterion_figure({"bic": {"full": full, "tied": tied}}, ("bic", "full", 3))
    (axes,) = figure.axes
    lowest, highest = axes.get_ylim()
    assert 30 < lowest < 35 < 41 < highest < 45
    first, _, *crosses = axes.lines
    assert np.array_equal(first.get_xydata()[[0, 2]], [[1, 40], [3, 35]]) and np.isnan(first.get_ydata()[1])
    drawn = [line.get_xydata() for line in crosses if line.get_marker() == "x" and len(line.get_xdata())]
    assert [points.round().tolist() for points in drawn] == [[[2, round(lowest)]], [[2, 39], [3, round(lowest)]]]
    assert abs(drawn[0][0, 0] - drawn[1][0, 0]) > 0.1  # beside each other
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["full", "tied", "collapsed: cannot be the best"]
