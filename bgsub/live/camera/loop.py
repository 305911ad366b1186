"""What is done for one camera, picture after picture: it is looked at, recorded, and told of."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bgsub.live.camera.views import Views
from bgsub.live.clock import Clock
from bgsub.live.looking.drawing import ClipPainter, cost_of_encoding
from bgsub.live.looking.first_look import FirstLook
from bgsub.live.looking.kept_model import KeptModel
from bgsub.live.looking.watching import Seen, Watching
from bgsub.live.messages import (
    CameraFound,
    CameraLost,
    FromCamera,
    Hold,
    Show,
    State,
    Status,
    ToCamera,
)
from bgsub.live.places import state_folder
from bgsub.live.recording.continuous import Continuous
from bgsub.live.recording.event_files import Moment
from bgsub.live.recording.event_recording import Clip
from bgsub.live.recording.filing import Filing
from bgsub.live.recording.recorder import Recorder
from bgsub.live.settings import Camera, Watch
from bgsub.motion.job import ENOUGH
from bgsub.motion.looking import WIDTH
from bgsub.motion.observing import TOLD_LATE
from bgsub.threads import opencv_bounded
from bgsub.video.frame import VideoInfo

logger = logging.getLogger(__name__)

_MARGIN = 3.0  # seconds of packets that are kept beyond those that a clip begins with: opening takes a moment
_GAP = 2.0  # seconds without pictures that end no event
_STEPS = 2  # nor does so often the time from one picture to the next
_STATUS_EVERY = 1.0
_RATE_OVER = 5.0  # seconds
CLOSING = 8.0  # seconds at the end in which clips and files are finished; the supervisor waits for twice as long
_MOST_KEPT = 64 << 20, 256 << 20  # bytes of packets; the second where clips show more than half a minute before
_LONG = 30.0
_FAR_AHEAD = 60.0  # seconds of what was drawn into clips


class LivePicture(Protocol):
    """A picture of a live source; see `bgsub.video.live.LivePicture`."""

    index: int
    time: float
    arrived: float
    moment: datetime
    image: np.ndarray
    gap: float

    def color(self, width: int | None = None) -> np.ndarray:
        """Return it as BGR, at most so wide."""


class CameraLoop:
    """Looks at a camera until it is told to stop.

    Parameters
    ----------
    camera : Camera
        What is asked for.
    watch : Watch
        What holds for all cameras.
    send : callable
        Called with what is told, in several threads; it may not wait.
    clock : Clock, optional
        The time.
    open_source : callable, optional
        Takes the arguments of `bgsub.video.live.LiveSource`, which it is by default.

    Raises
    ------
    ParameterError
        When its zones or its schedule do not do.
    SourceError
        When its address can be none of a camera.
    """

    def __init__(
        self,
        camera: Camera,
        watch: Watch,
        send: Callable[[FromCamera], None],
        clock: Clock | None = None,
        open_source: Callable[..., Any] | None = None,
    ) -> None:
        self._camera, self._watch, self._send, self._clock = camera, watch, send, clock or Clock()
        self._open_source = open_source or _live_source()
        self._views = Views(camera, send, self._clock)
        state = Path(watch.state) if watch.state else state_folder()
        self._model = KeptModel(state / "models" / f"{camera.name}.bgsub", self._clock)
        self._first_look = FirstLook(state / "models" / ".first-look")
        self._keep = camera.before + camera.min_length + TOLD_LATE + _loiter(camera) + _MARGIN
        self._step = 0.0  # seconds between the last two pictures that were looked at
        self._painter = ClipPainter(camera.zones, camera.draw, self._keep + _FAR_AHEAD)
        self._filing = Filing(Path(watch.directory), watch.retention.min_free, self._clock)
        self._watching: Watching | None = None
        self._latest: LivePicture | None = None
        self._times: deque[float] = deque()  # of the last seconds' looks
        self._moving = self._delay = 0.0
        self._told = 0.0
        self._state: State = "connecting"
        self._lost_since: datetime | None = None

    def hear(self, message: ToCamera) -> None:
        """Take what the supervisor says, but for `Stop`; any thread may call it."""
        if isinstance(message, Show):
            self._views.show(message)
        elif isinstance(message, Hold):
            self._filing.hold(message.why, away=message.away)

    def run(self, stop: threading.Event) -> None:
        """Look until told to stop; what is open is closed then, and the model saved."""
        with contextlib.ExitStack() as stack:
            self._begin(stack)
            stack.enter_context(opencv_bounded(1))
            try:
                for picture in self._looked:
                    if stop.is_set():
                        break
                    if picture is not None:
                        self._take(picture)
                    elif self._latest is not None and self._clock.monotonic() - self._latest.time > self._patience:
                        self._close_event()  # else it would last until the camera is back
                    self._tick()
            finally:
                self._finish()

    @property
    def _patience(self) -> float:
        """Seconds without a picture after which an event is over: a camera may send one each five seconds."""
        return max(self._camera.merge, _GAP, _STEPS * self._step)

    # ------------------------------------------------------------------------------------------------- steps

    def _begin(self, stack: contextlib.ExitStack) -> None:
        """Open what is looked at and what is recorded."""
        camera, watch = self._camera, self._watch
        directory = Path(watch.directory)
        audio = camera.audio and camera.record != "none"
        common = {"keep": self._keep, "keep_bytes": _MOST_KEPT[camera.before > _LONG], "clock": self._clock}
        small = {"shrink": WIDTH, "enough": ENOUGH}
        main = {"loop": camera.loop, "audio": audio} | common
        if camera.detect is None:
            self._looked = self._recorded = stack.enter_context(self._open_source(camera.source, **small, **main))
        else:
            self._recorded = stack.enter_context(self._open_source(camera.source, pictures=False, **main))
            self._looked = stack.enter_context(
                self._open_source(camera.detect, loop=camera.loop, audio=False, **small, **common)
            )
        self._continuous: Continuous | None = None
        if camera.record in ("continuous", "both"):
            record = partial(self._recorded.record, paint=self._paint, fsync=watch.fsync, audio=audio)
            self._continuous = Continuous(
                camera.name, camera.segment, directory, self._filing, record, self._recorded.moment_of, self._send
            )
        names = self._continuous.names if self._continuous else lambda start, end: ()
        self._recorder = Recorder(camera, directory, self._filing, self._open_clip, names, self._send, self._clock)

    @property
    def _paint(self) -> Callable[[np.ndarray, float], np.ndarray] | None:
        """What paints on recorded pictures; None where packets are copied."""
        return self._painter.paint if self._camera.has_privacy or self._camera.draw else None

    def _open_clip(self, path: Path, *, since: float) -> Clip:
        options = {"fsync": self._watch.fsync, "audio": self._camera.audio}
        if self._paint is None:
            return self._recorded.open_clip(path, since, **options)
        return self._recorded.open_encoded_clip(path, since, self._paint, **options)

    def _take(self, picture: LivePicture) -> None:
        """Look at a picture."""
        if not self._first_look.is_mine():
            return
        watching = self._watching_of(picture)
        seen = watching.look(picture)
        self._first_look.looked()
        moment = Moment(picture.time, picture.moment)
        boxes = tuple(sighting.box for sighting in seen.objects.values())
        self._painter.note(picture.time, boxes, watching.mask, watching.size)
        self._recorder.update(seen, moment, watching.size, picture, picture.gap)
        self._views.take(picture, picture.moment, seen, watching)
        self._step = 0.0 if self._latest is None or picture.gap else picture.time - self._latest.time
        self._latest = picture
        self._note(picture, seen)

    def _watching_of(self, picture: LivePicture) -> Watching:
        """Return what watches pictures of this size: the same as long as that does not change."""
        if self._watching is not None and self._watching.shape == picture.image.shape:
            return self._watching
        if self._watching is not None:
            logger.info("the pictures have another size; they are learned anew")
            self._close_event()
        elif self._paint is not None and self._camera.record != "none":
            info = self._recorded.info or self._looked.info
            logger.warning("%s", cost_of_encoding(info.source_size or (info.width, info.height)))
        height, width = picture.image.shape
        small: VideoInfo = replace(self._looked.info, width=width, height=height)
        self._watching = Watching(self._camera, small, self._model.path)
        return self._watching

    def _note(self, picture: LivePicture, seen: Seen) -> None:
        now = self._clock.monotonic()
        self._delay, self._moving = max(0.0, now - picture.arrived), seen.now.share
        self._times.append(now)

    def _tick(self) -> None:
        """Do what is to be done now and then."""
        self._filing.look_after()
        self._recorder.tick()
        if self._continuous is not None:
            self._continuous.tick()
        if self._watching is not None:
            self._model.tick(self._watching)
        self._follow_state()
        now = self._clock.monotonic()
        if now - self._told >= _STATUS_EVERY:
            self._told = now
            self._send(self._status())

    def _follow_state(self) -> None:
        """Tell when the camera is lost, and when it is found again."""
        source, now = self._looked, self._clock.now()
        state, before = source.state, self._state
        if state == before:
            return
        self._state = state
        if state == "lost":
            self._lost_since = source.since
            self._send(CameraLost(camera=self._camera.name, at=source.since, why=source.why or "it gives no pictures"))
        elif state == "live" and self._lost_since is not None:
            away = (now - self._lost_since).total_seconds()
            self._lost_since = None
            self._send(CameraFound(camera=self._camera.name, at=now, away=max(0.0, away)))

    def _status(self) -> Status:
        source, now = self._looked, self._clock.monotonic()
        while self._times and now - self._times[0] > _RATE_OVER:
            self._times.popleft()
        width, height = (0, 0) if self._watching is None else self._watching.size
        return Status(
            camera=self._camera.name,
            at=self._clock.now(),
            state=source.state,
            since=source.since,
            why=source.why,
            width=width,
            height=height,
            frames_per_second=round(len(self._times) / _RATE_OVER, 2),
            frames=0 if self._watching is None else source.frames,  # it may wait for its turn
            dropped=source.dropped,
            damaged=source.damaged,
            reconnects=source.reconnects,
            delay=round(self._delay, 4),
            moving=round(self._moving, 5),
            event=self._recorder.event,
            trouble=self._trouble(),
        )

    def _trouble(self) -> str | None:
        lost = None
        if self._recorded is not self._looked and self._recorded.state == "lost":
            lost = f"the stream that is recorded is lost: {self._recorded.why}"
        continuous = self._continuous.trouble if self._continuous else None
        return self._filing.trouble or lost or self._recorder.trouble or continuous

    def _close_event(self) -> None:
        """Close the event that is open."""
        if self._watching is not None and self._latest is not None:
            over = self._watching.finish(self._latest.time)
            self._recorder.end(over, Moment(self._latest.time, self._latest.moment), self._watching.size)

    def _finish(self) -> None:
        """Close what is open, and save the model; a folder that does not answer is not waited for for long."""
        self._close_event()
        self._recorder.cut()
        if self._continuous is not None:
            self._continuous.stop()
        until = self._clock.monotonic() + CLOSING
        while not self._is_closed() and self._clock.monotonic() < until:
            self._clock.sleep(0.02)
        self._recorder.give_up()
        self._filing.close(CLOSING / 2)
        if self._watching is not None:
            self._model.finish(self._watching)
        self._send(self._status())

    def _is_closed(self) -> bool:
        self._recorder.tick()
        if self._continuous is not None:
            self._continuous.follow()
        return self._recorder.idle and (self._continuous is None or self._continuous.idle)


def _loiter(camera: Camera) -> float:
    return max((zone.loiter for zone in camera.zones if zone.kind == "watch"), default=0.0)


def _live_source() -> Callable[..., Any]:
    from bgsub.video.live.source import LiveSource

    return LiveSource
