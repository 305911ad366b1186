"""Jobs over many videos, and mixtures of tables that fit nowhere, on Dask: nothing of the scheduling is ours."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bgsub.extras import explained

if TYPE_CHECKING:
    from bgsub.distributed.mixtures import fit, predict, score_samples, select

_HOME = {
    "fit": "bgsub.distributed.mixtures",
    "select": "bgsub.distributed.mixtures",
    "predict": "bgsub.distributed.mixtures",
    "score_samples": "bgsub.distributed.mixtures",
}

__all__ = ["fit", "predict", "score_samples", "select"]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, as `bgsub` does."""
    if name not in _HOME:
        raise AttributeError(f"module 'bgsub.distributed' has no attribute {name!r}")
    with explained(f"bgsub.distributed.{name}"):
        value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
