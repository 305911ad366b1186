"""A camera's process as its supervisor has it: started, listened to, told things, and killed."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import multiprocessing
import multiprocessing.connection
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import msgspec

from bgsub.live.messages import FromCamera, Shown, ToCamera, encode, from_camera
from bgsub.live.settings import Camera, Tell, Watch
from bgsub.live.supervising.returned_memory import return_memory

logger = logging.getLogger(__name__)

PROGRAM = "bgsub.live.camera.process:run_camera"
"""What runs in a camera's process: called with its `Camera`, the `Watch` and its end of the connection."""

_LARGEST = 16 << 20  # bytes of a message
_ON_THE_WAY = 256  # messages that were received and not taken yet; then the process waits
_ORPHANED = 15.0  # seconds that a process may take to end in order once its parent is gone


class CameraProcess:
    """A process that runs one camera; it is started at once.

    Nothing is shared with other cameras' processes, and it is started anew, not forked: a crash of one costs the
    others nothing, and the supervisor need not load what looks at pictures.

    Parameters
    ----------
    camera : Camera
        What it watches.
    watch : Watch
        What holds for all.
    heard : callable
        Called in the event loop with each message but pictures.
    seen : callable
        Called with each picture that somebody looks at, in the thread that listens: there are up to a hundred a second
        of all cameras, and the event loop need not wake for each.
    program : str
        As `PROGRAM`.

    Attributes
    ----------
    ended : asyncio.Future of str
        Done when the process has ended: how, in half a line.
    pid : int
        Of the process.

    Raises
    ------
    OSError
        When no process can be started.
    """

    def __init__(
        self,
        camera: Camera,
        watch: Watch,
        heard: Callable[[FromCamera], None],
        seen: Callable[[Shown], None],
        program: str = PROGRAM,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._heard, self._seen = heard, seen
        self._has_failed = False
        self._on_the_way = threading.BoundedSemaphore(_ON_THE_WAY)
        self.ended: asyncio.Future[str] = self._loop.create_future()
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        # Who is told is nothing to a camera, and holds secrets.
        shared = msgspec.structs.replace(watch, cameras=(camera,), tell=Tell())
        self._process = context.Process(
            target=_begin, args=(program, camera, shared, theirs), name=f"bgsub-{camera.name}"
        )
        try:
            with _deaf():
                self._process.start()
        except BaseException:
            self._connection.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid or 0
        try:
            threading.Thread(target=self._listen, name=f"bgsub-hear-{camera.name}", daemon=True).start()
        except RuntimeError as error:  # there can be no more threads
            self.kill()
            raise OSError(str(error)) from None

    def send(self, message: ToCamera) -> bool:
        """Tell the process something; return False where it does not listen. Never waits."""
        try:
            if sys.platform != "win32" and not select.select([], [self._connection], [], 0)[1]:
                return False  # it has not read for long: the message is short, but might wait all the same
            self._connection.send_bytes(encode(message))
        except (OSError, ValueError):  # it has ended
            return False
        return True

    def kill(self) -> None:
        """End the process without asking it."""
        with contextlib.suppress(OSError, ValueError):
            self._process.kill()

    def _listen(self) -> None:
        """Hand messages to the event loop until the process has ended: in a thread of its own."""
        why = ""
        wait = _waiting_for(self._connection, self._process.sentinel)
        try:
            while wait():
                message = from_camera(self._connection.recv_bytes(_LARGEST))
                if isinstance(message, Shown):
                    self._show(message)
                    continue
                self._on_the_way.acquire()
                self._loop.call_soon_threadsafe(self._take, message)
        except (EOFError, OSError):
            pass
        except msgspec.MsgspecError as error:
            why = f"said what nobody understands ({error})"
            self.kill()
        except RuntimeError:  # the event loop is closed
            self.kill()
            return
        self._process.join()
        while (code := self._process.exitcode) is None:  # another thread has just learned it for us
            time.sleep(0.01)
        why = why or _end_of(code)
        self._process.close()
        self._connection.close()
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end, why)

    def _show(self, shown: Shown) -> None:
        """Hand a picture on; who shows it may fail, and the camera is listened to all the same."""
        try:
            self._seen(shown)
        except Exception as error:  # whatever it is: recording has nothing to do with it
            if not self._has_failed and not self._loop.is_closed():
                self._has_failed = True
                logger.exception("a picture of %s cannot be shown: %s", shown.camera, error)

    def _take(self, message: FromCamera) -> None:
        self._on_the_way.release()
        self._heard(message)

    def _end(self, why: str) -> None:
        if not self.ended.done():
            self.ended.set_result(why)


def _waiting_for(connection: Connection, sentinel: int) -> Callable[[], bool]:
    """Return what waits until there is a message, or the end; what was sent before the end still comes."""
    if not hasattr(select, "poll"):
        return lambda: connection in multiprocessing.connection.wait([connection, sentinel]) or connection.poll()
    both = select.poll()  # made once: to make one for each message takes longer than the rest
    for one in (connection.fileno(), sentinel):
        both.register(one, select.POLLIN)
    return lambda: connection.fileno() in dict(both.poll()) or connection.poll()


def _end_of(code: int | None) -> str:
    """Return how a process ended, by its exit status."""
    if code is not None and code < 0:
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"was killed by signal {-code}"
    return "ended" if not code else f"ended with status {code}"


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Let processes that are started never hear Ctrl-C, not even while they import: it is for the supervisor."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# ------------------------------------------------------------------------------------------------ in a camera's process


def _begin(program: str, camera: Camera, watch: Watch, connection: Connection) -> None:
    """Run a camera's program; Ctrl-C is for the parent, with which this process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return_memory()
    module, _, function = program.partition(":")
    run: Callable[[Camera, Watch, Any], None] = getattr(importlib.import_module(module), function)
    run(camera, watch, connection)


def _end_with_parent() -> None:
    """End this process some time after its parent is gone, if it has not seen by itself that nobody listens."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        time.sleep(_ORPHANED)
        os._exit(1)
