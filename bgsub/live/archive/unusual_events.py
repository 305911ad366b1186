"""Which of a camera's events are unlike its others, from what the index knows of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Sequence
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from bgsub.live.archive.index_questions import MOST, IndexReader
from bgsub.live.messages import EventRecord
from bgsub.motion.events import Event
from bgsub.motion.results import Scanned, SourceFacts

COMPARED = 2000
"""The latest events of a camera among which each is compared."""

_PATIENCE = 300.0  # seconds
_SIDE = 1000  # pixels of a picture that stands for the camera's: places are fractions


def unusual_among(records: Sequence[EventRecord]) -> dict[str, float]:
    """Return how unusual the events of one camera are among each other: the share of those that are more usual.

    Compared are length, area, place, number of what moves and the time of day, in the system's zone.

    Parameters
    ----------
    records : sequence of EventRecord
        Events of one camera; those that go on, or have no box, are left out.

    Returns
    -------
    dict of str to float
        0 to 1 by identity; empty where they are too few, or all alike.
    """
    from bgsub.motion.unusual import mark_unusual  # where it is needed: it brings the mixture and its kernels

    whole = sorted((one for one in records if one.end is not None and one.box is not None), key=lambda one: one.start)
    if not whole:
        return {}
    first = whole[0].start.astimezone()
    facts = SourceFacts(("camera",), "camera", _SIDE, _SIDE, None, 0.0, recorded=first)
    events = tuple(_event(i, record, (record.start - first) / timedelta(seconds=1)) for i, record in enumerate(whole))
    (marked,) = mark_unusual([Scanned(facts, events)]).results
    return {
        record.id: event.unusual
        for record, event in zip(whole, marked.events, strict=True)
        if event.unusual is not None
    }


def compare_in_a_process(index: Path, camera: str) -> dict[str, float]:
    """Return how unusual a camera's latest events are, found by a process that ends and takes its libraries along.

    Parameters
    ----------
    index : Path
        File of the index.
    camera : str
        Whose events.

    Returns
    -------
    dict of str to float
        As of `unusual_among`; empty where the process died.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_send_unusual, args=(there, index, camera), name="bgsub-compare", daemon=True)
    process.start()
    there.close()
    try:
        return msgspec.msgpack.decode(here.recv_bytes(), type=dict[str, float]) if here.poll(_PATIENCE) else {}
    except EOFError:  # it has died
        return {}
    finally:
        process.kill()
        process.join()
        process.close()
        here.close()


def _send_unusual(there: Connection, index: Path, camera: str) -> None:
    """Find out and send how unusual events are, while nobody is kept from looking at pictures."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that asks
    if hasattr(os, "nice"):
        os.nice(10)
    there.send_bytes(msgspec.msgpack.encode(_unusual_of(index, camera)))


def _unusual_of(index: Path, camera: str) -> dict[str, float]:
    with IndexReader.of(index) as reader:
        records: list[EventRecord] = []
        while len(records) < COMPARED:
            page = reader.events(camera=camera, before=records[-1].id if records else None, limit=MOST)
            records += page
            if len(page) < MOST:
                break
    return unusual_among(records)


def _event(number: int, record: EventRecord, start: float) -> Event:
    """Return an event as scans have it, in a picture of `_SIDE` by `_SIDE` pixels."""
    assert record.end is not None and record.box is not None
    left, top, width, height = (round(value * _SIDE) for value in record.box)
    return Event(
        number + 1,
        start,
        start + (record.end - record.start) / timedelta(seconds=1),
        *(0, 0, start, 0),
        (left, top, width, height),
        area=record.share * _SIDE * _SIDE,
        tracks=tuple(range(record.objects)),
    )
