"""Frames and their kinds of scene as tables, and as a model that tables can be given to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bgsub.cli.cluster.model_file import QUANTILES, TableModel
from bgsub.features.collecting import FEATURES, FrameFeatures
from bgsub.features.scenes import Scenes
from bgsub.tables.preparation import Features, Preparation
from bgsub.tables.table import BLOCK_ROWS
from bgsub.tables.writing import table_writer


def write_features(path: str, features: FrameFeatures) -> None:
    """Write frame, time and all features of each frame."""
    _write(path, _frames(features) | dict(zip(FEATURES, features.values.T, strict=True)))


def write_labels(path: str, scenes: Scenes) -> None:
    """Write frame, time, label, probabilities and log-density of each frame."""
    probabilities = {f"probability_{k}": column for k, column in enumerate(scenes.probabilities.T)}
    labels = {"label": scenes.labels.astype(np.int32)}
    _write(path, _frames(scenes.features) | labels | probabilities | {"log_density": scenes.log_density})


def table_model(scenes: Scenes) -> TableModel:
    """Return the model that gives the rows of `write_features` the labels of `write_labels`."""
    features = Features(FEATURES, (), {})
    preparation = Preparation(features, scenes.offset, scenes.forward, scenes.backward, ("scale", "pca"))
    return TableModel(preparation, scenes.mixture, np.quantile(scenes.log_density, QUANTILES))


def _frames(features: FrameFeatures) -> dict[str, np.ndarray]:
    return {"frame": features.indices, "time": features.times}


def _write(path: str, columns: Mapping[str, np.ndarray]) -> None:
    n_rows = len(columns["frame"])
    with table_writer(path) as write:
        for start in range(0, n_rows, BLOCK_ROWS):
            write({name: values[start : start + BLOCK_ROWS] for name, values in columns.items()})
