"""The process that others are forked from: it imports what they all need once, while the first is still importing.

Nothing heavy is imported here.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from bgsub.background.methods import DEFAULT_METHOD, METHODS

_NEEDED = (
    "bgsub.motion.processes",
    "bgsub.motion.scanning",
    "bgsub.video.readers.container",
    "bgsub.video.readers.luma",
)


def context(method: str | None = None) -> Any:
    """Return how processes are started: from one that has imported everything, where that can be; else anew each.

    A fork of this one would copy threads and their locks.

    Parameters
    ----------
    method : str, optional
        The model that they will make.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    started = multiprocessing.get_context("forkserver")
    home = METHODS[method if method in METHODS else DEFAULT_METHOD].home.partition(":")[0]
    started.set_forkserver_preload([*_NEEDED, home, f"{home.rpartition('.')[0]}.cpu"])
    return started


def start_early(method: str | None = None) -> None:
    """Start that process now, where there can be one: `context` is served by it then.

    Parameters
    ----------
    method : str, optional
        As of `context`.
    """
    if context(method).get_start_method() != "forkserver":
        return
    multiprocessing.resource_tracker.ensure_running()  # which would end the deafness
    if not hasattr(signal, "pthread_sigmask"):
        return
    # It stays deaf to Ctrl-C: one that is still importing would answer that with a traceback.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        multiprocessing.forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def take_environment(variables: Mapping[str, str]) -> None:
    """Make this process's environment that of its parent now: the one it was forked from may have begun long ago."""
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)


@contextlib.contextmanager
def deaf() -> Iterator[None]:
    """Let Ctrl-C wait until this is over: while processes are started they, and what they share, are in between.

    Blocking the signal would not do: another thread takes it, and Python tells the first one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[Any] = []
    before = signal.signal(signal.SIGINT, lambda *told: heard.append(told))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)  # None: not set by Python
        if heard and callable(before):
            before(*heard[0])
