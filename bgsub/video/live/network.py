"""A camera's packets over the network."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from bgsub.errors import SourceError
from bgsub.video.live.clock import Clock
from bgsub.video.live.connecting import Arrived, sound_of, streams_of
from bgsub.video.readers.demuxing import Input, explain_read
from bgsub.video.readers.receiving import CLOCKLESS, is_recording


class Network:
    """Packets of a network stream.

    Parameters
    ----------
    opened : Input
        Owned, and closed, by this one from now on.
    clock : Clock
        Tells when they arrive.
    audio : bool
        Sound is wanted.
    timeout : float
        Seconds that each packet is waited for.
    """

    def __init__(self, opened: Input, clock: Clock, *, audio: bool, timeout: float) -> None:
        self._opened = opened
        self.shown = opened.shown
        self._clock = clock
        self._timeout = timeout
        try:
            # What plays a recording over RTSP sends it at the pace of the world, as a camera does.
            if opened.container.format.name != "rtsp" and is_recording(opened.container):
                name = opened.container.format.name
                if name.startswith("image2") or name.endswith("_pipe"):
                    raise SourceError(
                        f"cannot watch {opened.shown}: it is one picture; give the address of the camera's stream"
                    )
                raise SourceError(
                    f"cannot watch {opened.shown}: it is a recording, not a camera; give it to bgsub scan"
                )
            self.has_clock = opened.container.format.name not in CLOCKLESS
            self._sound = sound_of(opened) if audio else None
            self.streams = streams_of(opened, self._sound, stamped=self.has_clock)
        except BaseException:
            opened.close()
            raise

    def __iter__(self) -> Iterator[Arrived]:
        opened, now = self._opened, self._clock.monotonic
        wanted = [opened.stream] if self._sound is None else [opened.stream, self._sound]
        packets = opened.container.demux(wanted)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, IndexError):
                raise SourceError(f"{opened.shown} closed the connection") from None
            except Exception as error:  # whatever the library raises of what a stranger sends
                if isinstance(error, OSError) and error.errno == errno.EIO:
                    raise SourceError(f"{opened.shown} closed the connection") from error
                raise SourceError(f"{opened.shown} broke off: {explain_read(error, self._timeout)}") from error
            if packet.size:
                yield Arrived(packet, packet.stream.index == opened.stream.index, now())

    def close(self) -> None:
        """Close the connection."""
        self._opened.close()
