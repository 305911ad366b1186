"""Figures of what was fitted, for programs: the same that ``bgsub cluster`` writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from bgsub.errors import ParameterError
from bgsub.extras import explained
from bgsub.plots.criteria import criterion_figure
from bgsub.plots.mixture import MOST_COLUMNS, mixture_figure
from bgsub.plots.shown import ShownMixture, ShownRows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_POINTS = 20_000  # more are no better to see


class Selection(Protocol):
    """What `plot_selection` draws: `bgsub.select` returns one."""

    @property
    def table(self) -> Sequence[Any]:
        """Rows with ``n_components``, ``covariance_type``, ``eligible`` and the criteria."""

    @property
    def criterion(self) -> str:
        """What the best was chosen by."""

    @property
    def best_candidate(self) -> Any:
        """Its row."""


class Mixture(Protocol):
    """What `plot_mixture` draws: a fitted `bgsub.GaussianMixture` is one."""

    def fitted_mixture(self) -> Any:
        """Return weights, means and covariances as ``weights``, ``means`` and ``matrices``."""

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return each row's probability of belonging to each component."""

    def gaussianity(self, X: Any) -> Any:
        """Return what has ``in_words(names)``, a line about components that are not Gaussian, or an empty one."""


def plot_selection(selection: Selection) -> Figure:
    """Draw the criterion that models were chosen by over their number of components, beside another one.

    Parameters
    ----------
    selection : ModelSelection
        From `bgsub.select`.

    Returns
    -------
    matplotlib Figure
        ``figure.savefig("bic.png")`` writes it; a notebook shows it after ``%matplotlib inline``.

    Examples
    --------
    >>> import numpy as np
    >>> import bgsub
    >>> random = np.random.default_rng(0)
    >>> rows = np.concatenate([random.normal([0, 5], 1, (90, 2)), random.normal([9, 1], 2, (30, 2))])
    >>> figure = bgsub.plot_selection(bgsub.select(rows, range(1, 5), random_state=0))
    >>> [axes.get_xlabel() for axes in figure.axes]
    ['components', 'components']
    """
    best = selection.best_candidate
    types = dict.fromkeys(row.covariance_type for row in selection.table)
    panels = {
        criterion: {
            kind: [
                (row.n_components, getattr(row, criterion), row.eligible)
                for row in selection.table
                if row.covariance_type == kind
            ]
            for kind in types
        }
        for criterion in list(dict.fromkeys([selection.criterion, "bic", "aic"]))[:2]
    }
    with explained("bgsub.plot_selection"):
        return criterion_figure(panels, (selection.criterion, best.covariance_type, best.n_components))


def plot_mixture(mixture: Mixture, X: Any) -> Figure:
    """Draw a mixture and rows over its features: a histogram, a plane, or all pairs.

    Parameters
    ----------
    mixture : GaussianMixture
        Fitted to 1 to 5 features; of more draw some, ``mixture.marginal([0, 3])``.
    X : array-like, shape (N, D)
        Rows; of more than 20,000 so many are drawn, at random.

    Returns
    -------
    matplotlib Figure
        ``figure.savefig("mixture.png")`` writes it; a notebook shows it after ``%matplotlib inline``.

    Raises
    ------
    ParameterError
        When the mixture has more features than a figure can show.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> import bgsub
    >>> random = np.random.default_rng(0)
    >>> rows = np.concatenate([random.normal([0, 5], 1, (90, 2)), random.normal([9, 1], 2, (30, 2))])
    >>> mixture = bgsub.GaussianMixture(2, random_state=0).fit(rows)
    >>> figure = bgsub.plot_mixture(mixture, rows)
    >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
    ('feature 0', 'feature 1')
    """
    fitted = mixture.fitted_mixture()
    count = fitted.n_features
    if count > MOST_COLUMNS:
        raise ParameterError(
            f"the mixture has {count} features, a figure shows {MOST_COLUMNS} at most: draw mixture.marginal([0, 1])"
        )
    probabilities, points = mixture.predict_proba(X), np.asarray(X, np.float64)
    if len(points) > _MOST_POINTS:
        drawn = np.random.default_rng(0).choice(len(points), _MOST_POINTS, replace=False)
        probabilities, points = probabilities[drawn], points[drawn]
    given = getattr(mixture, "feature_names_in_", None)
    names = tuple(map(str, given)) if given is not None else tuple(f"feature {i}" for i in range(count))
    note = mixture.gaussianity(X).in_words(names)
    shown = ShownMixture(fitted.weights, fitted.means, fitted.matrices, names, (False,) * count)
    with explained("bgsub.plot_mixture"):
        return mixture_figure(shown, ShownRows(points, probabilities), note=note)
