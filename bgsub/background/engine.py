"""What every background model wants of its engine; each model's room adds what its own must do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np


class ModelEngine(Protocol):
    """Owns the arrays of a model and what works on them; how they lie in memory is its own affair."""

    @property
    def threads(self) -> int | None:
        """Most threads to use, where it uses any; None for as many as there are processors."""

    @threads.setter
    def threads(self, threads: int | None) -> None: ...

    def forget(self) -> None:
        """Empty the state."""

    def saved(self) -> dict[str, np.ndarray]:
        """Return what has been learned as planes of pixels, (..., H, W), by name: copies, in the model's layout."""

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over what `saved` gave; shapes and dtypes must be those of the model's layout.

        Raises
        ------
        ValueError
            When the kernels could not trust the values.
        """
