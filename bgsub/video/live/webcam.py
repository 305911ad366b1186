"""A webcam's pictures as packets: each a JPEG, so that seconds of them fit in memory."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from fractions import Fraction

import av
import cv2
import numpy as np

from bgsub.errors import SourceError
from bgsub.video.live.clock import Clock
from bgsub.video.live.connecting import Arrived
from bgsub.video.live.packets import Streams, Template
from bgsub.video.readers.camera import CameraSource
from bgsub.video.selection import Selection

_QUALITY = 92
_TICKS = 90_000


class Webcam:
    """Packets of a camera of this machine.

    Parameters
    ----------
    device : int or str
        Index from 0, or a device such as ``/dev/video0``.
    clock : Clock
        Tells when pictures arrive.
    """

    has_clock = False

    def __init__(self, device: int | str, clock: Clock) -> None:
        self._clock = clock
        self._source = CameraSource(device, Selection())
        self.shown = f"camera {device}"
        info = self._source.info
        blank = _jpeg(np.zeros((info.height, info.width, 3), np.uint8))
        with av.open(io.BytesIO(blank), "r", format="jpeg_pipe") as container:
            video = Template(container.streams.video[0], stamped=False)
        self.streams = Streams(video, None, info.fps if info.fps and math.isfinite(info.fps) else None)

    def __iter__(self) -> Iterator[Arrived]:
        for frame in self._source:
            arrival = self._clock.monotonic()
            packet = av.Packet(_jpeg(frame.image))
            packet.is_keyframe = True
            packet.time_base = Fraction(1, _TICKS)
            yield Arrived(packet, True, arrival)
        raise SourceError(f"{self.shown} stopped delivering")

    def close(self) -> None:
        """Release the camera."""
        self._source.close()


def _jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
