"""A thread that does one piece of work after another for an event loop, and that a disk may hold up for ever."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Done = TypeVar("Done")


class OneThread:
    """Work is done in its order. Unlike an executor's, the thread is not waited for when the program ends.

    Parameters
    ----------
    name : str
        Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._work: queue.SimpleQueue[tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]] | None]
        self._work = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def do(self, function: Callable[..., Done], *arguments: Any) -> asyncio.Future[Done]:
        """Return what becomes a function's result, or raises what it raised."""
        future: asyncio.Future[Done] = self._loop.create_future()
        self._work.put((future, function, arguments))
        return future

    def end(self) -> None:
        """End the thread once it has done what was asked of it."""
        self._work.put(None)

    def _run(self) -> None:
        while (asked := self._work.get()) is not None:
            future, function, arguments = asked
            try:
                result, error = function(*arguments), None
            except BaseException as raised:  # for who waits for it
                result, error = None, raised
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():  # given up
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
