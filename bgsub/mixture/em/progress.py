"""What `verbose` prints while a mixture is fitted: scikit-learn's lines."""

from __future__ import annotations

import time


class Progress:
    """Prints the beginning, the iterations and the end of each initialisation.

    Parameters
    ----------
    verbose : int
        1 initialisations and iterations, 2 or more also times and likelihoods.
    interval : int
        An iteration is printed each so many.
    """

    def __init__(self, verbose: int, interval: int) -> None:
        self._verbose = verbose
        self._interval = interval
        self._began = self._before = 0.0
        self._last = -float("inf")

    def begin(self, initialisation: int, lower_bound: float) -> None:
        """Start with an initialisation; `lower_bound` is that of the iteration before its first."""
        self._began = self._before = time.perf_counter()
        self._last = lower_bound
        print(f"Initialization {initialisation}")

    def step(self, iteration: int, lower_bound: float) -> None:
        """Report an iteration."""
        change, self._last = lower_bound - self._last, lower_bound
        if iteration % self._interval:
            return
        line = f"  Iteration {iteration}"
        if self._verbose > 1:
            now = time.perf_counter()
            line += f"\t time lapse {now - self._before:.5f}s\t ll change {change:.5f}"
            self._before = now
        print(line)

    def end(self, converged: bool, lower_bound: float) -> None:
        """Report the end of an initialisation."""
        line = f"Initialization {'converged' if converged else 'did not converge'}."
        if self._verbose > 1:
            elapsed = time.perf_counter() - self._began
            line += f" time lapse {elapsed:.5f}s\t lower bound {lower_bound:.5f}."
        print(line)
