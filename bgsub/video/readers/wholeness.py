"""Whether a file is as long as it says, and how many frames come: a look at its boxes and its index, undecoded."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import av
from av.video.stream import VideoStream

from bgsub.video.rational import fraction

_MOST_BOXES = 1_000_000  # a day of fragments of a tenth of a second; more is a file made to keep us busy
_INDEXED = ("mov,mp4,m4a,3gp,3g2,mj2", "avi")
_HEADS = (b"moof", b"sidx", b"styp", b"")
_NEARLY_ALL = 0.9
_SHORT_BY_S = 2.0  # durations of containers are not exact
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_MP4_FIRST = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"moof", b"sidx", b"pnot")


def is_mp4(head: bytes) -> bool:
    """Say whether a file that begins so is an MP4, QuickTime movie or the like."""
    return head[4:8] in _MP4_FIRST


def mp4_boxes(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield kind and end (position in the file, perhaps beyond its own) of the outermost boxes of an MP4."""
    place, length = 0, _length(file)
    for _ in range(_MOST_BOXES):
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            if head:
                yield b"", place + 8  # cut off within the head of a box
            return
        size, kind = struct.unpack_from(">I4s", head)
        if not kind.isascii():
            return
        if size == 1:
            size = struct.unpack_from(">Q", head, 8)[0] if len(head) == 16 else 16
        elif size == 0:
            size = length - place
        if size < 8:
            return
        yield kind, place + size
        place += size
        if place >= length:
            return


def _ending(path: Path) -> tuple[bool | None, bytes]:
    """Return whether a file is cut off, and the kind of the last box of an MP4; None where it is not there any more."""
    try:
        with path.open("rb") as file:
            cut = is_cut_off(file)
            kinds = [kind for kind, _ in mp4_boxes(file)] if cut else []
    except OSError:
        return None, b"moov"
    return cut, kinds[-1] if kinds else b""


def has_index(file: IO[bytes]) -> bool:
    """Say whether a file is an MP4 that holds its index (moov), whole."""
    length = _length(file)
    file.seek(0)
    return is_mp4(file.read(8)) and any(kind == b"moov" and end <= length for kind, end in mp4_boxes(file))


def is_cut_off(file: IO[bytes]) -> bool | None:
    """Say whether a file ends before it says it does; None where this kind of file does not say.

    Parameters
    ----------
    file : binary file
        Seekable; where it stands afterwards is not promised.
    """
    file.seek(0)
    head = file.read(16)
    length = _length(file)
    if is_mp4(head):
        return any(end > length for _, end in mp4_boxes(file))
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return any(end > length for end in _riff_ends(file, length))
    if head.startswith(_EBML):
        end = _segment_end(file)
        return None if end is None else end > length
    return None


def _segment_end(file: IO[bytes]) -> int | None:
    """Return where the segment of a Matroska file ends; None where it is written without a length."""
    file.seek(0)
    data = file.read(256)
    header = _vint(data, 4)
    if header is None:
        return None
    place = header[1] + header[0]
    if data[place : place + 4] != _SEGMENT or (segment := _vint(data, place + 4)) is None:
        return None
    return segment[1] + segment[0]


def _vint(data: bytes, place: int) -> tuple[int, int] | None:
    """Return the number at a place as Matroska writes lengths, and where it ends; None where it is not known."""
    if place >= len(data) or not data[place]:
        return None
    size = 9 - data[place].bit_length()
    value = int.from_bytes(data[place : place + size], "big") & ((1 << 7 * size) - 1)
    unknown = value == (1 << 7 * size) - 1 or place + size > len(data)
    return None if unknown else (value, place + size)


def frames_to_come(stream: VideoStream, length: int | None) -> int | None:
    """Return how many frames a container's index says will come; None where it does not say.

    Headers count what is not shown too: samples outside an edit list (a trimmed MP4), the gaps of an AVI; of
    fragments they may count the first alone.

    Parameters
    ----------
    stream : av.video.stream.VideoStream
        Of a container that has just been opened.
    length : int or None
        Bytes of the file: what is cut off does not come. None where it is not a file.
    """
    if stream.container.format.name not in _INDEXED:
        return stream.frames or None
    entries = stream.index_entries
    if not _covers(stream):
        return None
    ends = entries[0], entries[-1]
    if len(entries) == stream.frames and not any(_is_left_out(entry, length) for entry in ends):
        return len(entries)
    return sum(not _is_left_out(entry, length) for entry in entries)


def packets_to_come(stream: VideoStream, length: int | None) -> tuple[int, int] | None:
    """Return how many packets an MP4's index says there are, and how many of these the file holds to their end.

    Parameters
    ----------
    stream : av.video.stream.VideoStream
        Of a container that has just been opened.
    length : int or None
        Bytes of the file; None where it is not a file.

    Returns
    -------
    tuple of int, or None
        None where the index does not say.
    """
    if stream.container.format.name != _INDEXED[0] or not _covers(stream):
        return None
    entries = stream.index_entries
    told = len(entries)
    if length is None or not _is_beyond(entries[-1], length):
        return told, told
    return told, sum(not _is_beyond(entry, length) for entry in entries)


def shortfall(
    path: Path | None, stream: VideoStream, promised: tuple[int, int] | None, sent: int | None, time: float
) -> str | None:
    """Say after how much a file ended that is cut off; None where it is not, as far as one can tell.

    Parameters
    ----------
    path : Path or None
        The file; None where it is not one, but a recording on a network.
    stream : av.video.stream.VideoStream
        Read to its end.
    promised : tuple of int, or None
        What `packets_to_come` said at the beginning.
    sent : int or None
        Packets that came; None where they were not read from the beginning.
    time : float
        Of the last frame; infinite where it is no time of the file's own.
    """
    if promised is not None:
        told, held = promised
        came = held if sent is None else min(held, sent)
        if came < told:
            return f"{came} of {told} frames"
    cut, last = _ending(path) if path is not None else (None, b"moov")
    if promised is not None:
        # All that is known of has come; of a fragment nothing is known before its head is whole.
        return f"{told} frames" if cut and last in _HEADS else None
    if cut is False:
        return None
    length = float(stream.duration * fraction(stream.time_base)) if stream.duration else 0.0  # type: ignore[operator]
    container: Any = stream.container
    if not length and (cut or len(container.streams) == 1):
        length = (container.duration or 0) / av.time_base
    if time + _SHORT_BY_S < length:
        return f"{time:.1f} of {length:.1f} s"
    if cut:
        return f"{time:.1f} s" if sent is None else f"{sent} frames"
    return f"{sent} of {stream.frames} frames" if sent is not None and sent < stream.frames else None


def _covers(stream: VideoStream) -> bool:
    """Say whether the index that is known so far covers the whole length of the stream."""
    entries = stream.index_entries
    if not len(entries):
        return False
    if not stream.duration or len(entries) == 1:
        return len(entries) == stream.frames
    span = entries[-1].timestamp - entries[0].timestamp
    return span + span / max(len(entries) - 1, 1) > _NEARLY_ALL * stream.duration or len(entries) >= stream.frames > 0


def _is_left_out(entry: Any, length: int | None) -> bool:
    return entry.is_discard or (length is not None and _is_beyond(entry, length))


def _is_beyond(entry: Any, length: int) -> bool:
    return bool(entry.pos + entry.size > length)


def _riff_ends(file: IO[bytes], length: int) -> Iterator[int]:
    """Yield the end of each outermost chunk of a RIFF file; large AVI files have several."""
    place = 0
    while place + 8 <= length:
        file.seek(place)
        kind, size = struct.unpack("<4sI", file.read(8))
        if kind != b"RIFF" or not size:
            return
        place += 8 + size + size % 2
        # Some writers leave out the last byte, which only pads.
        yield place - size % 2


def _length(file: IO[bytes]) -> int:
    return file.seek(0, os.SEEK_END)
