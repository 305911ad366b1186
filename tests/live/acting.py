"""Camera processes that act: what they do stands in the camera's source, so that supervisors can be tried on them."""

import os
import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from bgsub.live.messages import (
    CameraFound,
    CameraLost,
    EventClosed,
    EventRecord,
    Note,
    Shown,
    Status,
    Stop,
    encode,
    to_camera,
)

PROGRAM = "tests.live.acting:act"


def act(camera, watch, connection):
    """Do what the words of the source say, one after another; then say each tenth of a second how the camera is."""
    stop = threading.Event()
    said = threading.Lock()

    def tell(message):
        with said:
            connection.send_bytes(encode(message))

    def listen():
        try:
            while not isinstance(told := to_camera(connection.recv_bytes()), Stop):
                tell(Note(camera=camera.name, at=datetime.now(UTC), level=30, text=f"told: {told}"))
        except (EOFError, OSError):
            pass
        stop.set()

    threading.Thread(target=listen, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    now = datetime.now(UTC)
    state, ends = "live", True
    for word in camera.source.split():
        order, _, argument = word.partition(":")
        match order:
            case "die":
                os._exit(int(argument or 1))
            case "die-first":  # unless the file is there
                if not Path(argument).exists():
                    Path(argument).touch()
                    os._exit(7)
            case "babble":
                connection.send_bytes(b"\xc1")
            case "mute":
                time.sleep(600)
            case "deaf":
                ends = False
            case "note":
                tell(Note(camera=camera.name, at=now, level=30, text=argument))
            case "error":
                tell(Note(camera=camera.name, at=now, level=40, text=argument))
            case "event":
                tell(EventClosed(EventRecord(id=f"{camera.name}/{argument}", camera=camera.name, start=now)))
            case "show":
                tell(Shown(camera=camera.name, view="picture", at=now, jpeg=argument.encode()))
            case "lost":
                state = "lost"
                tell(CameraLost(camera=camera.name, at=now, why=argument))
            case "found":
                state = "live"
                tell(CameraFound(camera=camera.name, at=now, away=0.5))
            case "secrets":
                tell(Note(camera=camera.name, at=now, level=30, text=repr(watch.tell)))
    frames = 0
    while not (ends and stop.is_set()):
        frames += 1
        try:
            tell(Status(camera=camera.name, at=datetime.now(UTC), state=state, since=now, frames=frames, width=64))
        except OSError:
            break
        time.sleep(0.1)
    if os.environ.get("ACTING_ENDS"):
        with Path(os.environ["ACTING_ENDS"]).open("a") as file:
            file.write(f"{camera.name}\n")
