"""What holds for every test, and for the workers that share them."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # before NumPy is imported: each worker has a processor of its own
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("MKL_NUM_THREADS", "1")


def pytest_configure() -> None:
    """Let Ctrl-C reach tests, and what they start, also where a shell in the background has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile, before workers start, what each of them would compile for itself: Numba's cache is theirs in common."""
    chosen = session.config.option
    if "PYTEST_XDIST_WORKER" in os.environ or not getattr(chosen, "numprocesses", None) or chosen.collectonly:
        return
    program = [sys.executable, "-W", "ignore", "-m", "tests.warm"]
    root = Path(__file__).parents[1]
    for started in [subprocess.Popen([*program, part], cwd=root) for part in ("mog2", "adaptive", "mixture")]:
        started.wait()  # whether it went well is for the tests to say


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Let no test of the system be skipped where BGSUB_SYSTEM_TESTS is set, as in continuous integration."""
    report = yield
    if report.skipped and item.get_closest_marker("needs_system") and os.environ.get("BGSUB_SYSTEM_TESTS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though BGSUB_SYSTEM_TESTS is set: {report.longrepr[-1]}"
    return report


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Undo what the program, called in this process, does to the log; a fixture of a module may have called it."""
    _log_as_in_a_library()
    yield
    _log_as_in_a_library()


def _log_as_in_a_library() -> None:
    logger = logging.getLogger("bgsub")
    logger.setLevel(logging.NOTSET)
    logger.handlers.clear()
    logger.propagate = True
    for handler in logging.getLogger().handlers:  # pytest's own, which a cluster of Dask makes silent while it lives
        handler.setLevel(logging.NOTSET)
