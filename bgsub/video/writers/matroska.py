"""Two things that FFmpeg's Matroska writer has no word for, put into the head of a file: the shape of pixels, the tick.

Elements are exchanged in place: the track's name, which was written to make room, gives way to the size at which the
pictures are shown; and the head's scale of time says that a tick is shorter than the millisecond that FFmpeg writes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

ROOM = "made with bgsub"
"""Name of the track that makes room for the display size: its element is as long as the three that replace it."""

_HEAD_SIZE = 1 << 16  # of the file: the elements in question lie within its first kilobytes
_SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_TIMESTAMP_SCALE, _TRACK_ENTRY, _NAME, _VIDEO, _CRC = 0x2AD7B1, 0xAE, 0x536E, 0xE0, 0xBF
_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = 0x54B0, 0x54BA, 0x54B2
_ASPECT_RATIO = 3  # the unit in which a display size is no number of pixels


@dataclass(frozen=True)
class _Element:
    """Where an element of EBML lies: it begins at `start`, its content at `body`, and it ends at `end`."""

    id: int
    start: int
    body: int
    end: int


def mend_head(path: Path, size: tuple[int, int], aspect: Fraction, tick: Fraction) -> bool:
    """Write the shape of the pixels and the length of a tick into the head of a file.

    Parameters
    ----------
    path : Path
        Matroska or WebM as FFmpeg writes it, its video the first track, named `ROOM` where the aspect is not 1.
        Whatever is found to be different stays as it is.
    size : tuple of int
        Width and height of the pictures in pixels.
    aspect : Fraction
        Width of a pixel over its height.
    tick : Fraction
        Seconds; not above a hundredth.

    Returns
    -------
    bool
        Whether the file says it now. It cannot before its head is on disk.
    """
    with path.open("r+b") as file:
        head = bytearray(file.read(_HEAD_SIZE))
        parts = {element.id: element for element in _top_level(head)}
        info, tracks = parts.get(_INFO), parts.get(_TRACKS)
        if info is None or tracks is None or max(info.end, tracks.end) > len(head):
            return False
        _set_tick(head, info, tick)
        if aspect != 1:
            _set_aspect(head, tracks, size, aspect)
        for part in (info, tracks):
            _renew_checksum(head, part)
            file.seek(part.start)
            file.write(head[part.start : part.end])
    return True


def _set_tick(head: bytearray, info: _Element, tick: Fraction) -> None:
    for element in _children(head, info):
        if element.id == _TIMESTAMP_SCALE:
            nanoseconds = round(tick * 1_000_000_000)
            head[element.body : element.end] = nanoseconds.to_bytes(element.end - element.body, "big")


def _set_aspect(head: bytearray, tracks: _Element, size: tuple[int, int], aspect: Fraction) -> None:
    """Take the track's name out, and put what its place holds into the description of its pictures."""
    track = next(element for element in _children(head, tracks) if element.id == _TRACK_ENTRY)
    inner = {element.id: element for element in _children(head, track)}
    name, video = inner.get(_NAME), inner.get(_VIDEO)
    if name is None or video is None or name.start > video.start:
        return
    shape = Fraction(*size) * aspect
    sizes = ((_DISPLAY_WIDTH, shape.numerator), (_DISPLAY_HEIGHT, shape.denominator))
    display = b"".join(_element(kind, value.to_bytes(4, "big")) for kind, value in sizes)
    display += _element(_DISPLAY_UNIT, bytes([_ASPECT_RATIO]))
    if len(display) != name.end - name.start:
        return
    length = video.end - video.body + len(display)
    width = video.body - video.start - 1  # bytes that hold the length; the id has one
    if length >= 1 << 7 * width:
        return
    between = head[name.end : video.start]
    longer = bytes([_VIDEO]) + (length | 1 << 7 * width).to_bytes(width, "big") + head[video.body : video.end] + display
    head[name.start : video.end] = between + longer


def _renew_checksum(head: bytearray, part: _Element) -> None:
    """Compute the checksum anew that stands first in a part, of all that follows it there."""
    first = next(_children(head, part), None)
    if first is not None and first.id == _CRC:
        head[first.body : first.end] = zlib.crc32(head[first.end : part.end]).to_bytes(4, "little")


def _element(kind: int, content: bytes) -> bytes:
    """Return an element of a two-byte id and short content."""
    return kind.to_bytes(2, "big") + bytes([0x80 | len(content)]) + content


def _top_level(head: bytes | bytearray) -> Iterator[_Element]:
    """Yield the parts of the file's only segment that come before its first cluster."""
    segment = next((e for e in _elements(head, 0, len(head)) if e.id == _SEGMENT), None)
    if segment is None:
        return
    for element in _elements(head, segment.body, len(head)):
        if element.id == _CLUSTER:
            return
        yield element


def _children(head: bytes | bytearray, parent: _Element) -> Iterator[_Element]:
    return _elements(head, parent.body, parent.end)


def _elements(head: bytes | bytearray, start: int, end: int) -> Iterator[_Element]:
    """Yield the elements from `start` on, one beside the other."""
    while start < end:
        id_width = _width(head[start])
        if not 1 <= id_width <= 4 or start + id_width >= end:
            return
        size_start = start + id_width
        size_width = _width(head[size_start])
        body = size_start + size_width
        if not 1 <= size_width <= 8 or body > end:
            return
        size = int.from_bytes(head[size_start:body], "big") & ((1 << 7 * size_width) - 1)
        yield _Element(int.from_bytes(head[start:size_start], "big"), start, body, body + size)
        start = body + size


def _width(first: int) -> int:
    """Return of how many bytes a number is, by its first one: 1 more than the zeros that it begins with."""
    return 9 - first.bit_length()
