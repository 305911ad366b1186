"""A camera that is read for weeks: pictures to look at, and clips of its packets, from one connection."""

from __future__ import annotations

import collections
import functools
import logging
import math
import os
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from bgsub.errors import SourceError
from bgsub.video.frame import VideoInfo
from bgsub.video.live.address import Address
from bgsub.video.live.clips import PacketClip
from bgsub.video.live.clock import Clock, SystemClock
from bgsub.video.live.decoding import Decoded
from bgsub.video.live.moments import Moments
from bgsub.video.live.packets import Kept, Streams
from bgsub.video.live.painting import Paint
from bgsub.video.live.pictures import LivePicture, small_grey
from bgsub.video.live.receiving import Reception
from bgsub.video.live.recordings import Recordings
from bgsub.video.live.ring import Ring
from bgsub.video.live.segments import Segments
from bgsub.video.live.thinning import Thinning
from bgsub.video.readers.orientation import Orientations
from bgsub.video.readers.reconnecting import Patience
from bgsub.video.selection import Selection

log = logging.getLogger(__name__)

_MOST_PICTURES = 4  # that wait to be looked at
_TELL_S = 0.5
_JOIN_S = 3.0
_ASSUMED_RATE = Fraction(25)
PATIENCE = Patience(silence=10.0, first_delay=0.5, longest_delay=8.0)
"""How long a camera is waited for, and how soon it is asked again."""

State = Literal["connecting", "live", "lost"]


class LiveSource:
    """A camera, opened again whenever it drops, for as long as it takes.

    All times are seconds of `clock.monotonic`: those of its pictures, of its clips, and of another `LiveSource` with
    the same clock. They go on over gaps. A context manager; its threads receive, decode and write, none of them waits
    for another.

    Parameters
    ----------
    location : str, path-like or int
        URL of a stream, number or device of a webcam, or with `loop` a file.
    shrink : int
        Of the pictures that are looked at, as of `open_source`.
    enough : float
        Pictures a second that are enough; 0: all.
    audio : bool
        Sound is kept.
    loop : bool
        The file is read again and again at its own pace.
    keep : float
        Seconds of packets that are kept to begin clips with.
    keep_bytes : int
        The most of these.
    pictures : bool
        Pictures are decoded to be looked at; else there are packets only.
    patience : Patience
        How long is waited for what.
    clock : Clock
        Tells the time.
    threads : int
        Threads that decode.

    Attributes
    ----------
    shown : str
        What messages call it, without a password.
    info : VideoInfo or None
        Of the pictures that are looked at; None before the first connection. A camera that comes back with another
        size has another.
    state : {'connecting', 'live', 'lost'}
        The first until it has given a picture, or it is known that it does not.
    since : datetime
        Since when, in UTC.
    why : str or None
        One line, of one that is lost.
    frames, dropped, damaged, reconnects : int
        Pictures handed out; left out because looking was too slow; that could not be decoded; connections after the
        first.

    Raises
    ------
    SourceError
        When the location can never be a camera.
    """

    def __init__(
        self,
        location: str | os.PathLike[str] | int,
        *,
        shrink: int = 1,
        enough: float = 0.0,
        audio: bool = True,
        loop: bool = False,
        keep: float = 10.0,
        keep_bytes: int = 64 << 20,
        pictures: bool = True,
        patience: Patience = PATIENCE,
        clock: Clock | None = None,
        threads: int = 1,
    ) -> None:
        self._selection = Selection.checked(luma=True, shrink=shrink, enough=enough)
        self._enough = enough
        self._clock = clock or SystemClock()
        self._patience = patience
        self._wants_pictures = pictures
        self._threads = threads
        self._address = Address(location, loop=loop, audio=audio, timeout=min(10.0, patience.silence))
        self.shown = self._address.shown
        self.info: VideoInfo | None = None
        self.state: State = "connecting"
        self.since = self._clock.now()
        self.why: str | None = None
        self.frames = self.reconnects = 0
        self._done_damage = self._drops = 0
        self._chance = random.Random()
        self._orientations = Orientations()
        self._moments = Moments(self._clock)
        self._recordings = Recordings(self.shown, Ring(keep, keep_bytes), self._clock)
        self._reception: Reception | None = None
        self._arrived = threading.Condition()  # of pictures
        self._pictures: collections.deque[LivePicture] = collections.deque()
        self._index = 0
        self._latest: float | None = None  # time of the last picture
        self._lost_at: float | None = None
        self._thinning = Thinning(0.0, None)
        self._rate: Fraction | None = None
        self._codec = ""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="receive", daemon=True)
        self._thread.start()

    @property
    def damaged(self) -> int:
        """Pictures that could not be decoded."""
        reception = self._reception
        return self._done_damage + (reception.damaged if reception else 0)

    @property
    def dropped(self) -> int:
        """Pictures that were left out because looking, or decoding, was slower than the camera."""
        reception = self._reception
        return self._drops + (reception.skipped if reception else 0)

    # ------------------------------------------------------------------------------------- pictures

    def __iter__(self) -> Iterator[LivePicture | None]:
        """Yield pictures as they come, and None now and then while none comes; it ends when the source is closed."""
        while not self._closed.is_set():
            with self._arrived:
                if not self._pictures:
                    self._arrived.wait(_TELL_S)
                picture = self._pictures.popleft() if self._pictures else None
            if self._closed.is_set():
                return
            if picture is not None:
                self.frames += 1
            yield picture

    def _deliver(self, decoded: Decoded) -> None:
        """Take a picture, in the thread that decodes."""
        orientation = self._orientations.of(decoded.picture)
        if self.state != "live":
            self._tell_size(orientation.size(decoded.picture.width, decoded.picture.height))
            self._set_state("live", None)
        time = decoded.time if self._latest is None else max(decoded.time, math.nextafter(self._latest, math.inf))
        gap = 0.0
        if self._lost_at is not None:
            gap, self._lost_at = max(0.0, time - self._lost_at), None
        self._latest = time
        if not (self._thinning.wants(time) or gap):
            return
        image = small_grey(decoded.picture, orientation, self._selection)
        moment = self._moments.of(time)
        picture = LivePicture(self._index, time, decoded.arrived, moment, image, gap, decoded.picture, orientation)
        self._index += 1
        with self._arrived:
            if len(self._pictures) >= _MOST_PICTURES:
                left = self._pictures.popleft()
                self._drops += 1
                if left.gap and not self._pictures[0].gap:  # the gap is told nevertheless
                    self._pictures[0] = replace(self._pictures[0], gap=left.gap)
            self._pictures.append(picture)
            self._arrived.notify_all()

    # ------------------------------------------------------------------------------------- clips

    def moment_of(self, time: float) -> datetime:
        """Return a time in seconds of the clock as time of the day, in UTC."""
        return self._moments.of(time)

    def open_clip(
        self, path: str | os.PathLike[str], since: float, *, fsync: bool = True, audio: bool = True
    ) -> PacketClip:
        """Begin to record, from before now on.

        Pictures of a codec that MP4 players do not take (MJPEG, a webcam) are encoded to H.264.

        Parameters
        ----------
        path : str or path-like
            ``.mp4``; a file that is there is left alone, and the clip has an `error`.
        since : float
            Seconds of the clock: it begins with the last key frame at or before it, or the first that is kept.
        fsync : bool
            What was recorded is on the disk after each second.
        audio : bool
            Sound is recorded.

        Returns
        -------
        PacketClip
            Open; it goes on by itself until its `close`.

        Raises
        ------
        SourceError
            When the camera has not yet been reached.
        """
        return self._recordings.open_clip(Path(path), since, fsync=fsync, audio=audio, paint=None)

    def open_encoded_clip(
        self, path: str | os.PathLike[str], since: float, paint: Paint, *, fsync: bool = True, audio: bool = True
    ) -> PacketClip:
        """Begin to record pictures that are painted on and encoded anew.

        Parameters
        ----------
        path, since, fsync, audio : optional
            As of `open_clip`.
        paint : callable
            Takes each whole picture (ndarray of uint8, shape (H, W, 3), BGR, its to change) and its time in seconds of
            the clock, in the clip's thread, and returns what is recorded. What it raises ends the clip.

        Returns
        -------
        PacketClip
            As of `open_clip`.

        Raises
        ------
        SourceError
            When the camera has not yet been reached.
        """
        return self._recordings.open_clip(Path(path), since, fsync=fsync, audio=audio, paint=paint)

    def record(
        self,
        path_for: Callable[[float], Path],
        seconds: float,
        *,
        opened: Callable[[PacketClip], object],
        closed: Callable[[PacketClip], object],
        paint: Paint | None = None,
        fsync: bool = True,
        audio: bool = True,
    ) -> Segments:
        """Record from now on, until `Segments.close`, one file after the other.

        Parameters
        ----------
        path_for : callable
            Returns the path of a segment that begins at a time, in seconds of the clock.
        seconds : float
            Least length of a segment: the next key frame begins another.
        opened, closed : callable
            Called with the `PacketClip` of each segment as it begins and ends, in the thread that receives: they may
            not wait, nor call this source.
        paint : callable, optional
            As of `open_encoded_clip`; unless given, packets are copied.
        fsync, audio : bool
            As of `open_clip`.
        """
        begin = functools.partial(self._recordings.begin_clip, fsync=fsync, audio=audio, paint=paint)
        return self._recordings.add(Segments(path_for, seconds, begin, opened, closed))

    def _keep(self, kept: Kept) -> None:
        """Take a packet, in the thread that receives."""
        self._recordings.keep(kept)
        if not self._wants_pictures and kept.is_video and self.state != "live":
            self._set_state("live", None)

    # ------------------------------------------------------------------------------------- connections

    def _run(self) -> None:
        """Connect, receive, connect again; the thread's whole life."""
        failures = 0
        while not self._closed.is_set():
            began = self._clock.monotonic()
            try:
                self._receive()
                return
            except Exception as error:  # SourceErrors; whatever else it is, the camera is tried again
                settled = self._clock.monotonic() - began >= self._patience.settled and self.state == "live"
                failures = 1 if settled else failures + 1
                self._drop(error)
            self._closed.wait(self._patience.delay(failures, self._chance.random()))

    def _receive(self) -> None:
        """Receive from one connection until it drops."""
        connection = self._address.connect(self._clock, self._closed.wait)
        try:
            self._moments.begin()
            self._begin(connection.streams)
            deliver = self._deliver if self._wants_pictures else None
            self._reception = Reception(
                connection, self._clock, self._keep, deliver, self._patience.silence, self._threads
            )
            self._reception.receive(self._closed)
        finally:
            if self._reception is not None:
                self._done_damage += self._reception.damaged
                self._drops += self._reception.skipped
                self._reception.close()
                self._reception = None
            connection.close()

    def _begin(self, streams: Streams) -> None:
        """Prepare for the packets of a new connection."""
        if self._recordings.begin(streams):
            self.reconnects += 1
        self._rate = streams.fps
        self._thinning = Thinning(self._enough, float(streams.fps) if streams.fps else None)
        self._codec = streams.video.codec
        self._tell_size(streams.video.size)

    def _tell_size(self, size: tuple[int, int]) -> None:
        """Say what comes, of pictures of this size."""
        plain = VideoInfo(Path(self.shown).stem, *size, self._rate or _ASSUMED_RATE, None, self._codec, None, live=True)
        info = self._selection.thinned(plain.fps).narrowed(plain, uniform=False)
        if info != self.info:
            self.info = info

    def _drop(self, error: Exception) -> None:
        """Note that the camera is away, and why."""
        why = " ".join(str(error).split()) or type(error).__name__
        if not isinstance(error, SourceError):
            log.exception("%s: %s", self.shown, why)
        if self._lost_at is None:
            self._lost_at = self._latest
        if self.state == "live":
            log.info("%s: it is opened again", why if self.shown in why else f"{self.shown}: {why}")
        self._set_state("lost", why)

    def _set_state(self, state: State, why: str | None) -> None:
        if state != self.state:
            self.since = self._clock.now()
        self.state, self.why = state, why

    # ------------------------------------------------------------------------------------- its end

    def close(self) -> None:
        """End the iteration, the connection, and what is recorded, which is waited for briefly."""
        self._closed.set()
        with self._arrived:
            self._arrived.notify_all()
        self._thread.join(_JOIN_S)
        self._recordings.close(_JOIN_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
