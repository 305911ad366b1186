"""What a connection to a camera is: its packets as they arrive, whatever they come through."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

import av
import av.stream

from bgsub.errors import SourceError
from bgsub.video.live.clock import Clock
from bgsub.video.live.packets import Streams, Template
from bgsub.video.readers.demuxing import Input
from bgsub.video.readers.rates import stated_rate

_FASTEST = 120  # pictures a second that no camera sends: the rate is that of some clock


class Arrived(NamedTuple):
    """A packet, whether it is of pictures, and when it came in seconds of the clock."""

    packet: av.Packet
    is_video: bool
    arrival: float


class Connection(Protocol):
    """What packets are read from, in one thread; they arrive at the pace of the world.

    Attributes
    ----------
    streams : Streams
        What comes.
    shown : str
        What messages call it.
    has_clock : bool
        Packets tell their times.
    """

    streams: Streams
    shown: str
    has_clock: bool

    def __iter__(self) -> Iterator[Arrived]:
        """Yield what comes; raise `SourceError` where it breaks off."""

    def close(self) -> None:
        """Close it; call it in the thread that iterates."""


def sound_of(opened: Input) -> Any:
    """Return the stream of sound of an open container, asked for again; None where there is none."""
    sound: Any = opened.container.streams.best("audio")
    if sound is None or sound.codec_context is None or not sound.codec_context.sample_rate:
        return None
    if hasattr(av.stream, "Discard"):
        sound.discard = av.stream.Discard.default
    return sound


def streams_of(opened: Input, sound: Any, *, stamped: bool = True) -> Streams:
    """Return what is known of the streams of an open container; `stamped` as of `Template`, for its pictures.

    Raises
    ------
    SourceError
        When the size of its pictures is not known.
    """
    audio = None
    if sound is not None:
        try:
            audio = Template(sound)
        except ValueError:  # a codec that no container takes
            audio = None
    video = Template(opened.stream, stamped=stamped)
    if not (video.size[0] and video.size[1]):
        raise SourceError(f"cannot open {opened.shown}: it does not tell the size of its pictures")
    rate = stated_rate(opened)
    return Streams(video, audio, Fraction(rate) if rate and rate <= _FASTEST else None)


def monotonic_wait(clock: Clock, until: float, wait: Callable[[float], object]) -> None:
    """Wait until a second of the clock, or until waiting is of no use any more."""
    ahead = until - clock.monotonic()
    if ahead > 0:
        wait(ahead)
    else:
        time.sleep(0)  # lets other threads run where a file is read as fast as it can be
