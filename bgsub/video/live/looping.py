"""A file that is read again and again at its own pace, as a camera would send it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from bgsub.errors import SourceError
from bgsub.video.live.clock import Clock
from bgsub.video.live.connecting import Arrived, monotonic_wait, sound_of, streams_of
from bgsub.video.readers.demuxing import explain_read, open_input

_ASSUMED_RATE = 25
_ASLEEP_S = 3.0
_MOST_HELD = 64  # packets, until one tells when it is decoded


class LoopedFile:
    """Packets of a file, over and over; their time stamps go on rising.

    Parameters
    ----------
    path : str
        The file.
    clock : Clock
        Whose pace it keeps.
    wait : callable
        Waits so many seconds, or until the source is closed.
    audio : bool
        Sound is wanted.
    """

    has_clock = True

    def __init__(self, path: str, clock: Clock, wait: Callable[[float], object], *, audio: bool) -> None:
        self._clock = clock
        self._wait = wait
        self._began = 0.0
        self._opened = open_input(path)
        self.shown = path
        try:
            self._sound = sound_of(self._opened) if audio else None
            self.streams = streams_of(self._opened, self._sound)
        except BaseException:
            self._opened.close()
            raise

    def __iter__(self) -> Iterator[Arrived]:
        self._began = self._clock.monotonic()
        passed = Fraction(0)  # seconds of all rounds before
        while True:
            lasted = yield from self._round(passed)
            passed += lasted
            try:
                self._opened.container.seek(0)
            except Exception as error:
                raise SourceError(
                    f"cannot loop {self._opened.shown}: {explain_read(error)}; give a file that can be sought in"
                ) from error

    def _round(self, passed: Fraction) -> Generator[Arrived, None, Fraction]:
        """Yield all packets once, from the first of the pictures on; return how long they last, in seconds."""
        opened = self._opened
        wanted = [opened.stream] if self._sound is None else [opened.stream, self._sound]
        first: Fraction | None = None
        first_shown = last = shown = Fraction(0)
        step = 1 / (self.streams.fps or Fraction(_ASSUMED_RATE))
        packets = self._decodable(opened.container.demux(wanted), step)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, IndexError):
                break
            except Exception as error:
                raise SourceError(f"{opened.shown} cannot be read to its end: {explain_read(error)}") from error
            stamp = packet.dts if packet.dts is not None else packet.pts
            if not packet.size or stamp is None:
                continue
            is_video = packet.stream.index == opened.stream.index
            tick = self.streams.video.time_base if is_video or not self.streams.audio else self.streams.audio.time_base
            if first is None:
                if not is_video:
                    continue
                first = stamp * tick
                first_shown = Fraction(packet.pts if packet.pts is not None else stamp) * tick
            at = stamp * tick - first
            if is_video:
                last = max(last, at)
                shown = max(shown, (packet.pts if packet.pts is not None else stamp) * tick - first_shown)
            moved = round((passed - first) / tick)
            packet.dts = stamp + moved
            packet.pts = (packet.pts if packet.pts is not None else stamp) + moved
            due = self._began + float(passed + at)
            monotonic_wait(self._clock, due, self._wait)
            now = self._clock.monotonic()
            if now - due > _ASLEEP_S:  # the machine slept: a camera would not send what it missed
                self._began += now - due
            yield Arrived(packet, is_video, max(due, now))
        if first is None:
            raise SourceError(f"cannot loop {opened.shown}: no packet of it tells its time; convert it to MP4")
        return max(last, shown) + step

    def _decodable(self, packets: Iterable[Any], step: Fraction) -> Iterator[Any]:
        """Yield packets whose pictures tell when they are decoded: of reordered ones in Matroska the first do not.

        Parameters
        ----------
        packets : iterable of Packet
            Of all streams.
        step : Fraction
            Seconds from picture to picture.
        """
        held: list[Any] = []
        untold: list[Any] = []  # pictures among them
        for packet in packets:
            is_picture = packet.stream.index == self._opened.stream.index and packet.size and packet.pts is not None
            if is_picture and packet.dts is None:
                untold.append(packet)
            elif is_picture:
                for before, one in enumerate(reversed(untold), 1):
                    one.dts = packet.dts - round(before * step / self.streams.video.time_base)
                untold = []
            held.append(packet)
            if len(held) > _MOST_HELD:
                _put_in_order(untold)
                untold = []
            if not untold:
                yield from held
                held = []
        _put_in_order(untold)
        yield from held

    def close(self) -> None:
        """Close the file."""
        self._opened.close()


def _put_in_order(pictures: Sequence[Any]) -> None:
    """Give pictures of which none tells when it is decoded times that rise, none later than when it is shown."""
    shown = sorted(picture.pts for picture in pictures)
    delay = max((decoded - one.pts for decoded, one in zip(shown, pictures, strict=True)), default=0)
    for decoded, one in zip(shown, pictures, strict=True):
        one.dts = decoded - delay
