"""A fitted model in figures: clusters in the table's own units, criteria, whether it converged, what is doubtful."""

from __future__ import annotations

from typing import Any

import numpy as np

from bgsub.clustering.fitting import FittedTable
from bgsub.clustering.model import TableModel
from bgsub.mixture.gaussianity import Gaussianity
from bgsub.mixture.noise import NOISE


def describe(fitted: FittedTable) -> dict[str, Any]:
    """Return what JSON says of a fitted model.

    Returns
    -------
    dict
        'components', a dict each with 'label', 'weight', 'rows', 'mean' and 'standard_deviation' by feature, and
        'departures' from a Gaussian, a dict each with 'kind', 'value', 'expected' and 'column' (None if oblique);
        'noise', a dict of 'label' (-1), 'weight' and 'rows', None where every row belongs to a cluster;
        'logarithms', the features of which the mean is a median and the standard deviation is of the logarithm;
        'covariance_type', 'log_likelihood_per_row', 'aic', 'bic', 'icl', 'converged', 'iterations'.
    """
    model, criteria = fitted.model, fitted.criteria
    preparation, outcome = model.preparation, model.outcome
    names, logs = preparation.features.names, preparation.features.is_log
    means = preparation.in_units(model.means())
    deviations = np.sqrt(np.maximum(np.einsum("kii->ki", model.covariances()), 0.0))
    departures = _departures(fitted)
    n_noise = fitted.n_rows - int(fitted.sizes.sum())
    share = n_noise / fitted.n_rows if model.mixture.noise is None else model.mixture.noise.weight
    kept = 1.0 - share if model.mixture.cutoff is not None else 1.0
    return {
        "components": [
            {
                "label": k,
                "weight": float(weight),
                "rows": int(size),
                "mean": dict(zip(names, means[k].tolist(), strict=True)),
                "standard_deviation": dict(zip(names, deviations[k].tolist(), strict=True)),
                "departures": departures.get(k, []),
            }
            for k, (weight, size) in enumerate(zip(model.mixture.weights, fitted.sizes, strict=True))
        ],
        "noise": {"label": NOISE, "weight": share, "rows": n_noise} if model.mixture.has_outliers else None,
        "logarithms": [name for name, is_log in zip(names, logs, strict=True) if is_log],
        "covariance_type": model.mixture.covariance_type,
        "log_likelihood_per_row": criteria["log_likelihood"] / (fitted.total_weight * kept),
        **{name: criteria[name] for name in ("aic", "bic", "icl")},
        "converged": outcome.converged,
        "iterations": outcome.n_iter,
    }


def _departures(fitted: FittedTable) -> dict[int, list[dict[str, Any]]]:
    """Return of each cluster that was looked at how it differs from a Gaussian."""
    names = fitted.model.preparation.output_names
    return {
        residuals.component: [
            {**departure._asdict(), "column": None if departure.column is None else names[departure.column]}
            for departure in residuals.departures
        ]
        for residuals in fitted.gaussianity
    }


def shape_advice(model: TableModel, found: Gaussianity) -> str:
    """Return which clusters of a model are not Gaussian, how, and what helps; an empty text if all may well be."""
    names, features = model.preparation.output_names, model.preparation.features
    told = found.in_words(names)
    if not told:
        return ""
    skewed = [names[i] for i in found.skewed if names[i] in features.numbers and not features.is_log[i]]
    ways = [f"--log {','.join(skewed)} if these are amounts"] * bool(skewed) + ["more --components"]
    return f"{told}: {', or '.join(ways)}"


def advice(fitted: FittedTable, max_iter: int) -> list[str]:
    """Return what is doubtful about a model that had `max_iter` iterations, and what to do about it, a line each."""
    lines = []
    if not fitted.model.outcome.converged:
        lines.append(f"did not converge in {max_iter} iterations: raise --max-iter, or --tol")
    for label, size in enumerate(fitted.sizes.tolist()):
        if size <= fitted.model.mixture.n_features:
            count = "1 row" if size == 1 else f"{size} rows"
            lines.append(
                f"cluster {label} is the most probable one of only {count}: "
                "give fewer --components, or raise --reg-covar"
            )
    lines += filter(None, [shape_advice(fitted.model, fitted.gaussianity)])
    return lines
