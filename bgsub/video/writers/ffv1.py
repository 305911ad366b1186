"""Masks packed as FFV1 in a fraction of libavcodec's time, byte for byte what that would give.

Encoding is two fifths of a run with a fast model, and nearly all of a mask is flat, which a general encoder does not
know: it predicts every pixel. Here blocks of one value are stepped over. The container, and the head that tells
decoders how the stream is made, are libavcodec's. So are the first bytes of each slice: a short picture of noise is
encoded by both at the beginning, and where one byte differs, such as with an FFmpeg of other habits, libavcodec
encodes the masks.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import av
import av.error
import numpy as np

from bgsub.video.writers import ffv1_kernels as kernels

_N_SLICES = kernels.SPLIT**2
_TRIED = (37, 43)  # shape of the picture that is tried: odd, and with slices of two sizes
_MOST_PIXELS = 2**24  # a slice's length is written in 24 bits
_NOTHING = np.zeros((_N_SLICES, 1), np.uint8)


class MaskPacker:
    """Packs the masks of one video, one after another.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the masks.
    interval : int
        Frames from one that is decoded by itself to the next.

    Attributes
    ----------
    is_key : bool
        Whether the last frame packed is decoded by itself.
    """

    def __init__(self, shape: tuple[int, int], interval: int) -> None:
        self._interval = interval
        self._n = 0
        self._prefixes: dict[bool, tuple[np.ndarray, np.ndarray]] = {}
        self._states = np.empty((_N_SLICES, kernels.CONTEXTS, 4), np.int32)
        self._rows = kernels.room(shape[1])
        self._out = np.empty(kernels.MOST_BYTES_A_PIXEL * shape[0] * shape[1] + 4096, np.uint8)
        self.is_key = False

    def pack(self, mask: np.ndarray) -> bytes:
        """Return a mask as a packet of FFV1.

        Parameters
        ----------
        mask : ndarray of uint8, shape (H, W)
            Of any values.
        """
        self.is_key = self._n % self._interval == 0
        self._n += 1
        return self._packed(mask, *self._prefixes[self.is_key], is_key=self.is_key)

    def learn(self, masks: list[np.ndarray], packets: list[bytes]) -> bool:
        """Learn from libavcodec's packets of masks how slices begin; say whether they are what this one would give."""
        for index, (mask, packet) in enumerate(zip(masks, packets, strict=True)):
            is_key = index % self._interval == 0
            before = self._states.copy()
            mine = _slices(self._packed(mask, _NOTHING, np.zeros(_N_SLICES, np.int64), is_key=is_key))
            theirs = _slices(packet)
            if len(theirs) != _N_SLICES:
                return False
            prefixes = [whole[: max(0, len(whole) - len(part))] for whole, part in zip(theirs, mine, strict=True)]
            sizes = np.array([len(prefix) for prefix in prefixes], np.int64)
            filled = np.zeros((_N_SLICES, sizes.max()), np.uint8)
            for row, prefix in zip(filled, prefixes, strict=True):
                row[: len(prefix)] = np.frombuffer(prefix, np.uint8)
            known = self._prefixes.setdefault(is_key, (filled, sizes))
            self._states[...] = before
            if self._packed(mask, *known, is_key=is_key) != packet:
                return False
        return True

    def _packed(self, mask: np.ndarray, prefixes: np.ndarray, sizes: np.ndarray, *, is_key: bool) -> bytes:
        if is_key:
            self._states[...] = kernels.NEW_CONTEXT
        mask = np.ascontiguousarray(mask)
        size = kernels.pack(mask, prefixes, sizes, self._states, *self._rows, self._out)
        return self._out[:size].tobytes()


def packer_like(context: av.VideoCodecContext, options: Mapping[str, str], aspect: Fraction) -> MaskPacker | None:
    """Return what packs masks as an opened encoder would; None where that encodes otherwise than is known here.

    Parameters
    ----------
    context : av.VideoCodecContext
        An encoder of FFV1 in grey, opened, that has encoded nothing.
    options : mapping
        Its options.
    aspect : Fraction
        Width of a pixel over its height: the slices tell it.
    """
    if context.width * context.height > _MOST_PIXELS:
        return None
    interval = int(options["g"])
    noise = np.random.default_rng(0).integers(0, 256, (3, *_TRIED)).astype(np.uint8)
    tried = [noise[0], noise[1] & 129, np.repeat(noise[2, ::4], 4, axis=0)[: _TRIED[0]]]
    try:
        head, packets = _encoded(tried, options, aspect)
    except (av.error.FFmpegError, ValueError):
        return None
    trial = MaskPacker(_TRIED, interval)
    if head != context.extradata or not trial.learn(tried, packets):
        return None
    packer = MaskPacker((context.height, context.width), interval)
    packer._prefixes = trial._prefixes
    return packer


def _encoded(masks: list[np.ndarray], options: Mapping[str, str], aspect: Fraction) -> tuple[bytes | None, list[bytes]]:
    """Return libavcodec's head of a stream, and its packet of each mask."""
    context = av.CodecContext.create("ffv1", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.height, context.width = masks[0].shape
    context.pix_fmt, context.time_base, context.options = "gray", Fraction(1, 25), dict(options)
    context.sample_aspect_ratio = aspect
    context.thread_count = 1
    packets: list[bytes] = []
    for index, mask in enumerate(masks):
        frame = av.VideoFrame.from_ndarray(mask, format="gray")
        frame.pts = index
        packets += map(bytes, context.encode(frame))
    packets += map(bytes, context.encode(None))
    return context.extradata, packets


def _slices(packet: bytes) -> list[bytes]:
    """Return the slices of a packet without their footers, which tell their lengths from the end."""
    found: list[bytes] = []
    end = len(packet)
    while end >= kernels.FOOTER:
        body = end - kernels.FOOTER
        start = body - int.from_bytes(packet[body : body + 3], "big")
        if start < 0:
            return []
        found.append(packet[start:body])
        end = start
    return found[::-1]
