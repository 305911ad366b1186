"""What an image file holds, by its bytes and not by its name: one picture, an animation, or a stack of pages."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

_MOST = 1_000_000  # pages, frames, chunks: more is a file made to keep us busy

Content = Literal["apng", "gif", "mp4", "webp", "tiff", "other"]
_PNG = b"\x89PNG\r\n\x1a\n"
_COMMENTS = rb"(?:\s|#[^\n]*\n)+"
_PNM = re.compile(rb"P(?:(4)%b(\d{1,9})%b(\d{1,9})\s|([56])%b(\d{1,9})%b(\d{1,9})%b(\d{1,5})\s)" % ((_COMMENTS,) * 5))
SEVERAL = frozenset({"apng", "webp", "tiff"})
"""Contents that are certainly several pictures; a GIF or an AVIF may be one."""


def content_of(path: Path) -> Content:
    """Say what a file holds.

    Returns
    -------
    {"apng", "gif", "mp4", "webp", "tiff", "other"}
        ``apng`` and ``webp``: animations; ``tiff``: of several pages; ``gif`` and ``mp4`` (AVIF, HEIF, and videos):
        one picture or several; ``other``: a single picture, or what is no image.

    Raises
    ------
    OSError
        When it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(32)
        if head.startswith(_PNG):
            return "apng" if _is_apng(file) else "other"
        if head.startswith((b"GIF87a", b"GIF89a")):
            return "gif"
        if head[4:8] == b"ftyp":
            return "mp4"
        if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X":
            return "webp" if head[20] & 2 else "other"
        if tiff_order(head) and len(tiff_pages(file, 2)) > 1:
            return "tiff"
    return "other"


def _is_apng(file: IO[bytes]) -> bool:
    """Say whether a PNG holds an animation: a chunk acTL of two pictures or more before the picture itself."""
    place = 8
    for _ in range(_MOST):
        file.seek(place)
        head = file.read(12)
        if len(head) < 12 or head[4:8] in (b"IDAT", b"IEND"):
            return False
        length, kind, count = struct.unpack(">I4sI", head)
        if kind == b"acTL":
            return bool(count > 1)
        place += 12 + length
    return False


def is_sequence(path: Path) -> bool:
    """Say whether a second picture follows the first in a file of PNG, BMP or binary PBM, PGM or PPM.

    FFmpeg writes such files (``-f image2pipe``), and reads all their pictures.
    """
    with path.open("rb") as file:
        head = file.read(64)
        if head.startswith(_PNG):
            return _png_end(file) is not None and file.read(8) == _PNG
        if head.startswith(b"BM"):
            file.seek(int.from_bytes(head[2:6], "little") or len(head))
            return file.read(2) == b"BM"
        if header := _PNM.match(head):
            if header[1]:
                size = -(-int(header[2]) // 8) * int(header[3])
            else:
                samples = int(header[5]) * int(header[6]) * (3 if header[4] == b"6" else 1)
                size = samples * (2 if int(header[7]) > 255 else 1)
            file.seek(header.end() + size)
            return _PNM.match(file.read(64)) is not None
    return False


def _png_end(file: IO[bytes]) -> int | None:
    """Go behind the last chunk of a PNG, and return where that is; None where there is none."""
    place = 8
    for _ in range(_MOST):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return None
        place += 12 + int.from_bytes(head[:4], "big")
        if head[4:] == b"IEND":
            return file.seek(place)
    return None


def tiff_order(head: bytes) -> Literal["<", ">", ""]:
    """Return the order of bytes of a TIFF or BigTIFF that begins so, as `struct` writes it; nothing of other files."""
    if head[:4] in (b"II*\0", b"II+\0"):
        return "<"
    return ">" if head[:4] in (b"MM\0*", b"MM\0+") else ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a TIFF: its number in the file, and its size."""

    number: int
    width: int
    height: int


def tiff_pages(file: IO[bytes], most: int = _MOST) -> list[Page]:
    """Return the pages of a TIFF that are pictures of their own, not smaller copies or masks of others.

    Parameters
    ----------
    file : binary file
        Seekable.
    most : int
        To stop after.
    """
    file.seek(0)
    head = file.read(16)
    order = tiff_order(head)
    big = head[2:4] in (b"+\0", b"\0+")
    if not order or len(head) < 16:
        return []
    (place,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
    pages: list[Page] = []
    seen: set[int] = set()
    while place and place not in seen and len(pages) < most and len(seen) < _MOST:
        seen.add(place)
        entries = _entries(file, place, order, big)
        if entries is None:
            break
        place, tags = entries
        if not tags.get(_SUBFILE, 0) & 0b101 and tags.get(_OLD_SUBFILE, 0) != 2:
            pages.append(Page(len(seen) - 1, tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0)))
    return pages


_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT = 254, 255, 256, 257
_TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}


def _entries(file: IO[bytes], place: int, order: str, big: bool) -> tuple[int, dict[int, int]] | None:
    """Return where the next directory stands, and the single numbers of this one; None where it is cut off."""
    size, count_code, next_code = (20, "Q", "Q") if big else (12, "H", "I")
    file.seek(place)
    head = file.read(struct.calcsize(count_code))
    if len(head) < struct.calcsize(count_code):
        return None
    (count,) = struct.unpack(order + count_code, head)
    data = file.read(count * size + struct.calcsize(next_code)) if count < 4096 else b""
    if len(data) < count * size + struct.calcsize(next_code):
        return None
    tags = {}
    for start in range(0, count * size, size):
        tag, kind, number = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, start)
        if tag in (_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT) and kind in _TYPES and number == 1:
            (tags[tag],) = struct.unpack_from(order + _TYPES[kind], data, start + (12 if big else 8))
    return struct.unpack_from(order + next_code, data, count * size)[0], tags
