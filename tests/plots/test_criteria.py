"""Curves of criteria: every fitted point, the best one marked."""

import math

import numpy as np

from bgsub.plots.criteria import criterion_figure

PANELS = {
    "bic": {"full": [(1, 30.0), (2, 10.0), (3, math.inf)], "diag": [(1, 40.0), (2, 25.0), (3, 12.0)]},
    "aic": {"full": [(1, 29.0), (2, 9.0), (3, math.inf)], "diag": [(1, 39.0), (2, 24.0), (3, 11.0)]},
}


def test_curves_and_the_best_point():
    figure = criterion_figure(PANELS, ("bic", "full", 2))
    bic, aic = figure.axes
    assert bic.get_title() == "BIC: lower is better" and aic.get_title() == "AIC: lower is better"
    for axes, curves in ((bic, PANELS["bic"]), (aic, PANELS["aic"])):
        for line, (name, curve) in zip(axes.lines, curves.items(), strict=True):
            assert line.get_label() == name
            assert np.array_equal(line.get_xydata(), [point for point in curve if math.isfinite(point[1])])
    assert np.array_equal(bic.collections[0].get_offsets(), [[2, 10]])
    assert [text.get_text() for text in bic.texts] == ["2, full"]
    assert not aic.collections and not aic.texts
