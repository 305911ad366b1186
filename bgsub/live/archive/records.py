"""Records of events, read back from their files, which anybody may have written."""

from __future__ import annotations

import os
import stat
from datetime import UTC
from pathlib import Path

import msgspec

from bgsub.errors import SourceError
from bgsub.live.layout import CLIP, EVENT, FILE, RECORD, THUMBNAIL, TRACKS, record_file
from bgsub.live.messages import EventRecord

LARGEST = 1 << 18
"""Bytes of a record's file."""

_MOST_WORDS = 1000  # zones, lines, segments
_LONGEST_WORD = 1000
_decoder = msgspec.json.Decoder(EventRecord)


def read_record(directory: Path, name: str) -> EventRecord:
    """Return the record in a file; everything in it is checked, and no link is followed.

    Parameters
    ----------
    directory : Path
        Of recordings.
    name : str
        Of the file, relative to it: ``yard/2026-11-27/2026-11-27T16-05-09.250Z.json``.

    Raises
    ------
    SourceError
        When it cannot be read, is too large, or says what no record says: one line.
    """
    path = directory / name
    try:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(path, flags), "rb") as file:
            facts = os.fstat(file.fileno())
            data = file.read(LARGEST + 1) if stat.S_ISREG(facts.st_mode) else b""
    except OSError as error:
        raise SourceError(f"cannot read the record {path}: {error.strerror or error}; check its permissions") from error
    try:
        if not data or len(data) > LARGEST:
            raise ValueError(f"is no file of 1 to {LARGEST} bytes")
        record = _decoder.decode(data)
        fault = fault_of(record)
        if fault is None and record_file(record.id) != name:
            fault = f"is of the event {record.id!r}, whose record has another name"
    except (ValueError, RecursionError) as error:  # of msgspec, too
        fault = str(error)
    if fault is not None:
        raise SourceError(f"the record {path} is left out: it {_short(fault)}; remove it, or write it as bgsub does")
    return record


def fault_of(record: EventRecord) -> str | None:
    """Say what is wrong with a record: names that lead elsewhere, times without a zone, endless lists."""
    found = EVENT.fullmatch(record.id)
    if found is None or found[1] != record.camera:
        return f"has the identity {record.id!r}, which is none of the camera {record.camera!r}"
    for name in (record.clip, record.thumbnail, record.tracks, *record.segments[: _MOST_WORDS + 1]):
        held = None if name is None else FILE.fullmatch(name)
        if name is not None and (held is None or held[1] != record.camera):
            return f"names the file {name!r}, which is none of its camera's"
    moments = [record.start, record.end, record.clip_start, record.clip_end]
    if any(one is not None and (one.tzinfo is None or not 1970 <= one.astimezone(UTC).year < 9000) for one in moments):
        return "has a time without a zone, or of no year of cameras"
    if record.end is not None and record.end < record.start:
        return "ends before it begins"
    words = [*record.zones, *record.crossings, *record.segments]
    if len(words) > _MOST_WORDS or any(len(word) > _LONGEST_WORD for word in [*words, record.kind, record.error or ""]):
        return "has more words than any event"
    if not 0 <= record.size < 1 << 62 or any(abs(count) >= 1 << 62 for count in record.crossings.values()):
        return "has numbers that nothing has"
    return None


def files_of(record: EventRecord) -> list[str]:
    """Return the files that belong to an event alone, relative to the directory; its record's file is the last.

    Some may not be there: of a clip that shows nothing the record says nothing.
    """
    own = record_file(record.id)
    stem = own.removesuffix(RECORD)
    named = (record.clip, record.thumbnail, record.tracks, *(stem + ending for ending in (CLIP, THUMBNAIL, TRACKS)))
    return [*dict.fromkeys(name for name in named if name is not None), own]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:200]}..."
