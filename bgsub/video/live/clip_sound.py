"""The sound of a clip: copied where MP4 players take it, else encoded to AAC."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
from av.container import OutputContainer

from bgsub.video.live.packets import Kept, Template
from bgsub.video.writers.sound import SoundEncoder, is_copied


class ClipSound:
    """A stream of sound in a container.

    Parameters
    ----------
    container : OutputContainer
        That has not begun.
    template : Template
        Of the sound, which `can_hold` has agreed to.
    """

    def __init__(self, container: OutputContainer, template: Template) -> None:
        self._tick = template.time_base
        self._last = -1
        self._decoder: Any = None
        self._encoder: SoundEncoder | None = None
        context: Any = template.stream.codec_context
        if is_copied(".mp4", context):
            self._stream: Any = container.add_stream_from_template(template.stream, opaque=True)
            self._stream.time_base = self._tick
        else:
            self._decoder = template.decoder()
            self._encoder = SoundEncoder(container, "aac", context)
            self._stream = self._encoder.stream

    @staticmethod
    def can_hold(template: Template) -> bool:
        """Say whether sound can be copied, or decoded."""
        context: Any = template.stream.codec_context
        return is_copied(".mp4", context) or bool(context.is_decoder and context.layout.nb_channels)

    def packets(self, kept: Kept, time: Fraction) -> list[av.Packet]:
        """Return what goes into the container for a packet that is heard at a time of the clip, in seconds."""
        if self._encoder is None:
            if time < 0:
                return []
            packet = kept.as_packet()
            packet.time_base = self._tick
            self._place(packet, round(time / self._tick))
            return [packet]
        try:
            frames = self._decoder.decode(kept.as_packet())
        except Exception:  # whatever the library raises: a damaged packet is a moment of silence
            return []
        return self._encoded(frames, time)

    def rest(self) -> list[av.Packet]:
        """Return what an encoder holds at the end."""
        return [] if self._encoder is None else self._encoded([None], Fraction(0))

    def _encoded(self, frames: list[Any], time: Fraction) -> list[av.Packet]:
        assert self._encoder is not None
        done = []
        for frame in frames:
            for at, packet in self._encoder.encode(frame, time):
                if at >= 0:
                    self._place(packet, round(at / Fraction(packet.time_base)))
                    done.append(packet)
        return done

    def _place(self, packet: av.Packet, tick: int) -> None:
        """Give a packet its time, later than that of the one before."""
        self._last = max(tick, self._last + 1)
        packet.pts = packet.dts = self._last
        packet.stream = self._stream
