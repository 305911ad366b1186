"""A camera that plays pictures: what `bgsub.video.live.LiveSource` is to the loop of a camera, on a stepped clock."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bgsub.errors import OutputError
from bgsub.live.camera.loop import CameraLoop
from bgsub.live.camera.process import run_camera
from bgsub.live.messages import FromCamera
from bgsub.live.settings import Camera, Retention, Watch
from tests.live.recordings_made import SteppedClock
from tests.live.scenes import INFO, Picture

BEGINNING = datetime(2026, 11, 27, 16, 0, tzinfo=UTC)


@dataclasses.dataclass
class Shown:
    """A picture as the loop gets it."""

    index: int
    time: float
    arrived: float
    moment: datetime
    image: np.ndarray
    gap: float

    def color(self, width: int | None = None) -> np.ndarray:
        return cv2.cvtColor(self.image, cv2.COLOR_GRAY2BGR)


class PlayedClip:
    """A clip of a played camera: a file with nothing in it but that it was there."""

    def __init__(self, path: Path, since: float, clock: SteppedClock, error: str | None = None) -> None:
        self.path, self.start, self._clock, self.error = path, since, clock, error
        self.until: float | None = None
        self.closed = self.error is not None
        self.why: str | None = None
        self.shows = not self.error
        self.size = 1
        if not self.error:
            path.write_bytes(b"c")

    @property
    def end(self) -> float:
        return self._clock.monotonic() if self.until is None else self.until

    def close(self, until: float | None = None) -> None:
        self.until, self.closed = self.end if until is None else until, True


class Played:
    """Plays pictures, and steps the clock from one to the next."""

    def __init__(self, pictures: Iterable[Picture], clock: SteppedClock) -> None:
        self._pictures, self._clock = pictures, clock
        self.info, self.state, self.since, self.why = INFO, "connecting", clock.now(), None
        self.frames = self.dropped = self.damaged = self.reconnects = 0
        self.clips: list[PlayedClip] = []
        self.broken: str | None = None  # what clips say
        self.arguments: dict[str, Any] = {}

    def open(self, location: str, **arguments: Any) -> Played:
        self.arguments = arguments
        return self

    def __enter__(self) -> Played:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __iter__(self) -> Iterator[Shown | None]:
        for picture in self._pictures:
            if picture.gap:
                self.state, self.since, self.why = "lost", self._clock.now(), "yard closed the connection"
            while picture.time - self._clock.monotonic() > 0.5:
                yield None
                self._clock.step(0.5)
            self._clock.step(max(0.0, picture.time - self._clock.monotonic()))
            if picture.gap:
                self.reconnects += 1
            self.state, self.why = "live", None
            self.frames += 1
            yield Shown(picture.index, picture.time, picture.time, self._clock.now(), picture.image, picture.gap)

    def open_clip(self, path: Path, since: float, **options: Any) -> PlayedClip:
        if self.broken == "refuses":
            raise OutputError(f"cannot write {path}: it refuses; try again")
        self.clips.append(PlayedClip(path, since, self._clock, self.broken))
        return self.clips[-1]


def play(
    folder: Path,
    pictures: Iterable[Picture],
    *,
    prepare: Callable[[CameraLoop, Played], None] = lambda loop, source: None,
    patience: float = 60.0,
    **asked: Any,
) -> tuple[list[FromCamera], Played, SteppedClock]:
    """Let a camera look at pictures; return what it told, the camera, and the clock.

    Played time stands while files are written, for at most `patience` seconds each: it runs a hundred times as fast as
    the disk's.
    """
    told: list[FromCamera] = []
    clock = SteppedClock(BEGINNING)
    source = Played(pictures, clock)
    camera = Camera(name="yard", source="played", **asked)
    watch = Watch(
        cameras=(camera,), directory=str(folder / "kept"), state=str(folder / "state"), retention=Retention(min_free=0)
    )
    loop = CameraLoop(camera, watch, told.append, clock, source.open)
    _file_at_once(loop, patience)
    prepare(loop, source)
    loop.run(threading.Event())
    return told, source, clock


def _file_at_once(loop: CameraLoop, patience: float) -> None:
    """Let whoever has something filed wait until it is."""
    do = loop._filing.do

    def do_and_wait(work: Callable[[], None]) -> bool:
        done = threading.Event()

        def work_and_tell() -> None:
            try:
                work()
            finally:
                done.set()

        return do(work_and_tell) and (done.wait(patience) or True)

    loop._filing.do = do_and_wait


def run_with_small_files(camera: Camera, watch: Watch, connection: Any) -> None:
    """Be the process of a camera for which no file may be larger than 30 000 bytes, as if the disk were full then."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
    run_camera(camera, watch, connection)


def of(told: Iterable[FromCamera], *kinds: type) -> list[Any]:
    """The messages of some kinds."""
    return [message for message in told if isinstance(message, kinds)]
