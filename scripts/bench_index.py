"""How quick the index of `bgsub watch` is: taking what cameras tell, pages, retention, and building it again.

And what a message takes that is kept on the disk until it is told.

Times are medians in milliseconds of wall time, of one thread; what is asked is asked as a page would.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bgsub.live.archive.index import Index
from bgsub.live.archive.index_questions import IndexReader
from bgsub.live.archive.rebuilding import compare
from bgsub.live.archive.recordings import Recordings
from bgsub.live.archive.retention import what_goes
from bgsub.live.clock import Clock
from bgsub.live.layout import event_id, record_file
from bgsub.live.messages import EventClosed, EventOpened, EventRecord
from bgsub.live.settings import Retention
from bgsub.live.telling.occasions import Occasion
from bgsub.live.telling.waiting import Waiting

START = datetime(2026, 1, 1, tzinfo=UTC)
CAMERAS = 8


def event(number: int, chance: random.Random) -> EventRecord:
    """Return an event, one a minute of one camera after another."""
    camera = f"camera{number % CAMERAS}"
    start = START + timedelta(seconds=60 * number + chance.random())
    identity = event_id(camera, start)
    stem = record_file(identity).removesuffix(".json")
    return EventRecord(
        id=identity,
        camera=camera,
        start=start,
        end=start + timedelta(seconds=chance.expovariate(1 / 10)),
        clip=f"{stem}.mp4",
        thumbnail=f"{stem}.jpg",
        tracks=f"{stem}.tracks.csv",
        zones=("gate",) if number % 5 == 0 else (),
        box=(chance.random() / 2, 0.2, 0.1, 0.3),
        unusual=chance.random(),
        size=2_000_000,
    )


def timed(what: str, call: Callable[[], object], times: int = 15) -> None:
    """Print how long a call takes."""
    took = []
    for _ in range(times):
        before = time.perf_counter()
        call()
        took.append(time.perf_counter() - before)
    print(f"  {what:<52} {statistics.median(took) * 1e3:9.2f} ms, at most {max(took) * 1e3:9.2f}", flush=True)


def fill(index: Index, count: int) -> None:
    """Tell an index of events, as cameras do, and print how long that takes."""
    chance = random.Random(1)
    took = []
    for number in range(count):
        record = event(number, chance)
        messages = (EventOpened(msgspec.structs.replace(record, end=None)), EventClosed(record))
        before = time.perf_counter()
        for message in messages:
            index.take(message)
        took.append(time.perf_counter() - before)
    took.sort()
    print(f"  an event told, opened and closed: {statistics.median(took) * 1e3:.3f} ms, ", end="")
    print(f"99.9 % in {took[int(len(took) * 0.999)] * 1e3:.2f}, at most {took[-1] * 1e3:.1f}")


def ask(path: Path, count: int) -> None:
    """Print how long questions take."""
    with IndexReader.of(path) as reader:
        middle = event(count // 2, random.Random(2)).start
        deep = reader.events(end=middle, limit=1)[0].id
        day = middle.replace(hour=0, minute=0)
        questions: dict[str, Callable[[], object]] = {
            "first page of 100": reader.events,
            "a page from the middle": lambda: reader.events(before=deep),
            "a camera's page": lambda: reader.events(camera="camera3", before=deep),
            "a zone's page": lambda: reader.events(zone="gate", before=deep),
            "longer than 60 s": lambda: reader.events(min_length=60.0),
            "the most unusual in 10,000, of all": lambda: reader.events(unusual=0.9999),
            "a day in 24 steps": lambda: reader.amounts(day, day + timedelta(days=1), 3600),
            "counts and bytes": reader.counts,
        }
        for what, question in questions.items():
            timed(what, question)
        kept = reader.kept_events()
        timed("all that retention must know", reader.kept_events, 5)
        rules = Retention(max_size=count * 1_900_000, min_free=0)
        now = START + timedelta(seconds=60 * count)
        timed("what goes: a twentieth", lambda: what_goes(kept, [], count * 2_000_000, 10**12, rules, now), 5)


def build_again(folder: Path, count: int) -> None:
    """Print how long it takes to build an index from records, and to compare it with them."""
    chance = random.Random(1)
    directory = folder / "recordings"
    for number in range(count):
        record = event(number, chance)
        path = directory / record_file(record.id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(record))
        (directory / str(record.clip)).touch()
    with Index(folder / "again.sqlite", Clock()) as index:
        recordings = Recordings(directory, index)
        recordings.settle()
        for what in ("built from records", "compared with them"):
            before = time.perf_counter()
            compare(index, recordings, Clock())
            took = time.perf_counter() - before
            print(f"  {count:,} events {what}: {took:.2f} s, {took / count * 1e3:.3f} ms each")


async def wait_to_be_told(folder: Path, count: int) -> None:
    """Print what it takes to keep a message until it is told: in the event loop, and until it is on the disk."""
    waiting, chance = Waiting(folder / "waiting.sqlite", Clock()), random.Random(1)
    await waiting.open()
    line, put, kept = waiting.line("webhook"), [], []
    for number in range(count):
        record = event(number, chance)
        occasion = Occasion(name="event_closed", at=record.start, camera=record.camera, event=record)
        before = time.perf_counter()
        line.put(occasion)
        put.append(time.perf_counter() - before)
        await waiting.written()
        kept.append(time.perf_counter() - before)
        for waits in line:
            line.drop(waits)
        await waiting.written()
    await waiting.close()
    kept.sort()
    print(f"  a message that waits: {statistics.median(put) * 1e6:.0f} us of the event loop, on the disk in ", end="")
    print(f"{statistics.median(kept) * 1e3:.2f} ms, 99 % in {kept[int(count * 0.99)] * 1e3:.1f}")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=10_000, help="events whose records are written, and read again")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "index.sqlite"
        print(f"{asked.events:,} events of {CAMERAS} cameras")
        with Index(path, Clock()) as index:
            fill(index, asked.events)
            ask(path, asked.events)
        print(f"  file: {path.stat().st_size / asked.events:.0f} bytes an event")
        timed("opened, and checked", lambda: Index(path, Clock()).close(), 3)
        build_again(Path(name), asked.files)
        asyncio.run(wait_to_be_told(Path(name), 1000))


if __name__ == "__main__":
    main()
