"""A film of pictures that are decoded, painted on, and encoded anew."""

from __future__ import annotations

import collections
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import Colorspace

from bgsub.video.live.copying import CopiedFilm
from bgsub.video.live.fragments import FragmentFile
from bgsub.video.live.packets import Kept, Streams
from bgsub.video.live.pictures import color_of
from bgsub.video.readers.orientation import Orientation, Orientations

Paint = Callable[[np.ndarray, float], np.ndarray]
"""Takes a picture, BGR uint8 and its to change, and its time in seconds of the clock; returns what is recorded."""

_TIME_BASE = Fraction(1, 90_000)
_KEY_S = 1
_ASSUMED_RATE = 25
_OPTIONS = {"preset": "veryfast", "crf": "23", "tune": "zerolatency", "bf": "0", "forced-idr": "1", "g": "100000"}
_THREADS = 2
_MOST_HELD = 64  # pictures in a decoder that reorders


class PaintedFilm(CopiedFilm):
    """As `CopiedFilm`, but what a camera sent is shown only after `paint` has had it.

    Parameters
    ----------
    file, streams, first, audio : optional
        As there.
    paint : callable
        See `Paint`; what it raises ends the film.
    """

    def __init__(self, file: FragmentFile, streams: Streams, first: Kept, *, audio: bool, paint: Paint) -> None:
        self._paint = paint
        self._decoder = streams.video.decoder()
        self._orientations = Orientations()
        self._first = first
        self._newest = (Fraction(0), first.time)  # times of a packet's picture, in the clip and of the clock
        self._fed: collections.OrderedDict[int | None, tuple[Fraction, float]] = collections.OrderedDict()
        self._shown = -1
        self._key = Fraction(-_KEY_S)
        super().__init__(file, streams, first, audio=audio)

    def _video(self, streams: Streams) -> Any:
        stream: Any = self._container.add_stream("libx264", rate=streams.fps or _ASSUMED_RATE, options=_OPTIONS)
        width, height = _upright_size(streams, self._first)
        stream.width, stream.height, stream.pix_fmt = width & ~1, height & ~1, "yuv420p"
        context = stream.codec_context
        context.time_base = _TIME_BASE
        context.thread_count, context.thread_type = _THREADS, "SLICE"
        context.colorspace = Colorspace.ITU601
        return stream

    def _write_video(self, kept: Kept) -> None:
        self._follow(kept)
        later = (kept.pts - kept.dts) * self._tick
        self._newest = self._fed[kept.pts] = (kept.pts * self._tick + self._shift, kept.time + float(later))
        if len(self._fed) > _MOST_HELD:
            self._fed.popitem(last=False)
        self._write_decoded(kept.as_packet())

    def _write_decoded(self, packet: av.Packet | None) -> None:
        """Write the pictures that a packet completes; without one those that the decoder still holds."""
        try:
            pictures = self._decoder.decode(packet)
        except Exception:  # whatever the library raises: a damaged picture is left out
            return
        for picture in pictures:
            # Times of its own packet: by now the camera's clock may be another one.
            shown, time = self._fed.pop(picture.pts, self._newest)
            if shown >= 0 and not picture.is_corrupt:
                self._write_picture(picture, shown, time)

    def _write_picture(self, picture: av.VideoFrame, shown: Fraction, time: float) -> None:
        """Write a picture at a time of the clip, which is one of the clock."""
        image = self._paint(color_of(picture, self._orientations.of(picture)), time)
        height, width = self._stream.height, self._stream.width
        if image.shape[0] < height or image.shape[1] < width:
            return  # a picture of another size is that of another stream, which ends the clip
        # OpenCV's conversion keeps the brightness, which FFmpeg's lowers by a level or two, and is the faster one.
        planes: np.ndarray = cv2.cvtColor(image[:height, :width], cv2.COLOR_BGR2YUV_I420)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        self._shown = max(round(shown / _TIME_BASE), self._shown + 1)
        frame.pts, frame.time_base = self._shown, _TIME_BASE
        if shown - self._key >= _KEY_S:
            frame.pict_type = PictureType.I
            self._key = shown
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self) -> None:
        """Write what is held, and the end of the file."""
        self._write_decoded(None)
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        super().close()


def _upright_size(streams: Streams, first: Kept) -> tuple[int, int]:
    """Return width and height of the pictures, upright, as the first key frame tells them."""
    decoder = streams.video.decoder()
    try:
        pictures = [*decoder.decode(first.as_packet()), *decoder.decode(None)]
    except Exception:  # whatever the library raises: a damaged picture
        pictures = []
    for picture in pictures:
        return Orientation.of_picture(picture).size(picture.width, picture.height)
    return streams.video.size
