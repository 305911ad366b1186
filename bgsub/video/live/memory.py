"""How much memory FFmpeg may take at once, whatever a sender claims to send."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from pathlib import Path

import av

MOST_BYTES = 96 << 20
"""Bytes of the largest block: a plane of a picture of 8K, with 10 bits a sample, takes 66 MB."""

_UNLIMITED = 2**31 - 1


def limit_blocks(most: int = MOST_BYTES) -> bool:
    """Refuse FFmpeg larger blocks of memory, in all of this process.

    A server on a fast network that never ends a picture, or announces an answer of two gigabytes, would otherwise fill
    the memory within the seconds that a packet is waited for.

    Parameters
    ----------
    most : int
        Bytes.

    Returns
    -------
    bool
        Whether FFmpeg's library was found, so that it holds.
    """
    for path in _libraries():
        try:
            library = ctypes.CDLL(str(path))
            library.av_max_alloc.argtypes, library.av_max_alloc.restype = [ctypes.c_size_t], None
        except (OSError, AttributeError):
            continue
        library.av_max_alloc(most)
        return True
    return False


def unlimited() -> None:
    """Allow FFmpeg blocks of any size again."""
    limit_blocks(_UNLIMITED)


def _libraries() -> Iterator[Path | str]:
    """Yield where the library of PyAV may be: beside it in a wheel, else the system's."""
    package = Path(av.__file__).parent
    yield from package.parent.glob("av.libs/*avutil*")
    yield from package.glob(".dylibs/libavutil*")
    if found := ctypes.util.find_library("avutil"):
        yield found
