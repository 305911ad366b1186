"""Principal components of features, from sums over rows that go by: of one table, or of parts of it elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bgsub.errors import ParameterError
from bgsub.tables.preparation import Preparation

_ALIKE = 1e-6  # of an axis' longest coordinate: which of two that differ by less is the longest is chance


@dataclass(frozen=True)
class Products:
    """Sums over rows of F centred features.

    Attributes
    ----------
    n_rows : int
        How many.
    total : ndarray (F,)
        Of the features.
    products : ndarray (F, F)
        Of each feature with each.
    """

    n_rows: int
    total: np.ndarray
    products: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray) -> Products:
        """Return those of a block of rows (n, F)."""
        return cls(len(rows), rows.sum(axis=0), rows.T @ rows)

    def joined(self, other: Products) -> Products:
        """Return those of these rows and some more."""
        return Products(self.n_rows + other.n_rows, self.total + other.total, self.products + other.products)


@dataclass(frozen=True)
class PrincipalAxes:
    """Where rows lie, and along which axes.

    Attributes
    ----------
    mean : ndarray (F,)
        Of the rows.
    axes : ndarray (D, F)
        Unit vectors along which they spread most, that of the largest variance first.
    """

    mean: np.ndarray
    axes: np.ndarray

    @classmethod
    def of(cls, sums: Products, n_components: int) -> PrincipalAxes:
        """Return the first axes of rows of which these are the sums.

        Raises
        ------
        ParameterError
            When there are fewer features or rows.
        """
        most = min(sums.n_rows, len(sums.total))
        if n_components > most:
            raise ParameterError(
                f"--pca {n_components} is above the {most} features or rows that there are: give fewer"
            )
        mean = sums.total / sums.n_rows
        return cls(mean, _axes(sums.products / sums.n_rows - np.outer(mean, mean))[:n_components])

    def project(self, rows: np.ndarray) -> np.ndarray:
        """Return the principal components (n, D) of rows (n, F)."""
        return (rows - self.mean) @ self.axes.T

    def after(self, centred: Preparation, steps: tuple[str, ...]) -> Preparation:
        """Return the preparation that does what another does, and then projects; `steps` is what that is called."""
        return replace(
            centred,
            offset=centred.restore(self.mean),
            forward=centred.forward @ self.axes.T,
            backward=self.axes @ centred.backward,
            steps=steps,
        )


def _axes(covariance: np.ndarray) -> np.ndarray:
    """Return the eigenvectors of a covariance as rows, that of the largest variance first.

    Their signs are scikit-learn's: the longest coordinate is above 0, the first of those that are alike.
    """
    _, vectors = np.linalg.eigh(covariance)
    axes = vectors[:, ::-1].T
    lengths = np.abs(axes)
    longest = np.argmax(lengths >= (1.0 - _ALIKE) * lengths.max(axis=1, keepdims=True), axis=1)
    signed: np.ndarray = axes * np.sign(axes[np.arange(len(axes)), longest])[:, None]
    return signed
