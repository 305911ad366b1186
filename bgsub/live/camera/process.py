"""The process of one camera: its loop, told things and stopped over a connection to its supervisor."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from bgsub.errors import BgsubError
from bgsub.live.camera.loop import CLOSING, CameraLoop
from bgsub.live.camera.outbox import Outbox
from bgsub.live.clock import Clock
from bgsub.live.messages import FromCamera, Note, Stop, encode, to_camera
from bgsub.live.recording.interrupted import finish_interrupted
from bgsub.live.settings import Camera, Watch

logger = logging.getLogger(__name__)

_LARGEST = 1 << 16  # bytes of a message to a camera


def run_camera(camera: Camera, watch: Watch, connection: Connection) -> None:
    """Be a camera's process: look until `Stop` comes, SIGTERM, or the end of who listens.

    Parameters
    ----------
    camera : Camera
        What is asked for.
    watch : Watch
        What holds for all cameras.
    connection : Connection
        To the supervisor, which sends `ToCamera` and takes `FromCamera`, as bytes.

    Raises
    ------
    SystemExit
        With status 1, when it cannot begin.
    """
    from bgsub.video.live.memory import limit_blocks

    limit_blocks()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    outbox = Outbox(lambda message: connection.send_bytes(encode(message)), on_break=stop.set)
    clock = Clock()
    logs = _Notes(camera.name, outbox.send, clock)
    logging.getLogger("bgsub").addHandler(logs)
    logging.getLogger("bgsub").setLevel(logging.INFO)
    try:
        loop = CameraLoop(camera, watch, outbox.send, clock)
        threading.Thread(target=_listen, args=(connection, loop, stop), name="bgsub-listen", daemon=True).start()
        finish_interrupted(Path(watch.directory), camera.name, outbox.send)
        loop.run(stop)
    except BgsubError as error:
        logger.error("%s", error)
        raise SystemExit(1) from error
    except Exception:
        logger.exception("this must not happen, and the camera is begun anew")
        raise
    finally:
        outbox.close(CLOSING)


def _listen(connection: Connection, loop: CameraLoop, stop: threading.Event) -> None:
    """Take what the supervisor says."""
    try:
        while not stop.is_set():
            message = to_camera(connection.recv_bytes(_LARGEST))
            if isinstance(message, Stop):
                stop.set()
            else:
                loop.hear(message)
    except (EOFError, OSError, ValueError):  # the supervisor is gone, or says what nobody understands
        stop.set()


class _Notes(logging.Handler):
    """Sends what is logged as notes."""

    def __init__(self, camera: str, send: Callable[[FromCamera], None], clock: Clock) -> None:
        super().__init__(logging.INFO)
        self._camera, self._send_note, self._clock = camera, send, clock

    def emit(self, record: logging.LogRecord) -> None:
        text = " ".join(self.format(record).split())[:2000]
        self._send_note(Note(camera=self._camera, at=self._clock.now(), level=record.levelno, text=text))
