"""Kill a watch again and again while it records, and look at what it leaves behind: clips, records and index."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import queue
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import av

PATIENCE = 90.0  # seconds
SAMPLE = Path(__file__).parents[1] / "sample_videos" / "street.mp4"
SOON = ["--before", "1s", "--after", "1s", "--merge", "1s", "--longest", "6s"]


class Kill(NamedTuple):
    """What was killed, when, and the events whose clips were being written."""

    what: str
    at: datetime
    open: frozenset[str]


class Run:
    """One start of the program.

    Parameters
    ----------
    folder : Path
        Recordings and state of all runs.
    """

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "bgsub", "watch", str(SAMPLE), "--loop", "--no-listen", "--json", *SOON]
        places = ["--into", str(folder / "recordings"), "--state", str(folder / "state")]
        self.open: set[str] = set()
        self.process = subprocess.Popen(
            [*command, *places], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
        )
        self._heard: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):  # the last line of one that was killed
                self._heard.put(json.loads(line))

    def until(self, kind: str, ends: float) -> dict[str, Any] | None:
        """Return the next message of a kind; None at a time of the monotonic clock."""
        while (left := ends - time.monotonic()) > 0:
            try:
                message = self._heard.get(timeout=left)
            except queue.Empty:
                break
            told = message.get("type")
            if told == "EventOpened":
                self.open.add(message["record"]["id"])
            elif told == "EventClosed":
                self.open.discard(message["record"]["id"])
            if told == kind:
                return message
        return None

    def opened(self) -> None:
        """Wait for the next event to be opened."""
        if self.until("EventOpened", time.monotonic() + PATIENCE) is None:
            raise SystemExit(f"no event was opened within {PATIENCE:g} s")

    def camera(self) -> int:
        """Return the camera's process."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in children:
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        raise SystemExit("the program has no camera's process")

    def kill(self, what: str, wait: float) -> Kill:
        """Kill the camera's process, or all, so many seconds from now."""
        self.until("nothing", time.monotonic() + wait)
        if what == "camera":
            os.kill(self.camera(), signal.SIGKILL)
        else:
            os.killpg(self.process.pid, signal.SIGKILL)
        at = datetime.now(UTC)
        if what == "whole":
            self.process.wait()
        return Kill(what, at, frozenset(self.open))

    def stop(self) -> None:
        """End it in order."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)


def reached(path: Path) -> tuple[float, int]:
    """Return the seconds that a clip shows, and how many of its pictures cannot be decoded."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    broken = sum(frame.is_corrupt for frame in frames)
    return float(frames[-1].time or 0) + 1 / 25, broken


def check(folder: Path, kills: list[Kill]) -> bool:
    """Print what is left after all, and say whether it is as it should be."""
    recordings = folder / "recordings"
    records = [json.loads(path.read_text()) for path in sorted(recordings.glob("*/*/*.json"))]
    faults: list[str] = []
    clips: Counter[str] = Counter(record["clip"] for record in records if record["clip"])
    files = {str(path.relative_to(recordings)) for path in recordings.glob("*/*/*.mp4")}
    faults += [f"recorded twice: {clip}" for clip, count in clips.items() if count > 1]
    faults += [f"no record has {clip}" for clip in sorted(files - set(clips))]
    faults += [f"missing: {clip}" for clip in sorted(set(clips) - files)]
    faults += [f"never ended: {record['id']}" for record in records if record["end"] is None]
    shown = {}
    for record in records:
        if record["clip"] in files:
            length, broken = reached(recordings / record["clip"])
            shown[record["id"]] = datetime.fromisoformat(record["clip_start"]) + timedelta(seconds=length)
            faults += [f"{broken} pictures are broken: {record['clip']}"] * bool(broken)
    spans = sorted((record["start"], record["end"] or record["start"], record["id"]) for record in records)
    for (_, ended, one), (began, _, other) in itertools.pairwise(spans):
        if datetime.fromisoformat(began) < datetime.fromisoformat(ended) - timedelta(seconds=0.1):
            faults.append(f"events overlap: {one} and {other}")
    with contextlib.closing(sqlite3.connect(folder / "state" / "index.sqlite")) as index:
        if (whole := index.execute("pragma integrity_check").fetchone()) != ("ok",):
            faults.append(f"index: {whole[0]}")
    faults += compared_with_index(folder, records)
    for what in ("camera", "whole"):
        these = [kill for kill in kills if kill.what == what]
        lost = [(kill.at - shown[one]).total_seconds() for kill in these for one in kill.open if one in shown]
        unfinished = sum(one not in shown for kill in these for one in kill.open)
        print(
            f"{what}: {len(these)} kills, {len(lost)} clips were being written; seconds lost: "
            f"median {statistics.median(lost):.2f}, most {max(lost):.2f}; without a clip: {unfinished}"
        )
        faults += [f"{seconds:.2f} s lost" for seconds in lost if seconds > 1.5]
    print(f"{len(records)} events, {len(files)} clips, {len(faults)} faults", *faults, sep="\n")
    return not faults


def compared_with_index(folder: Path, records: list[dict[str, Any]]) -> list[str]:
    """Return in what the index and the records differ."""
    from bgsub.live.archive.index_questions import IndexReader

    with IndexReader.of(folder / "state" / "index.sqlite") as index:
        kept = {record["id"]: index.event(record["id"]) for record in records}
        counted = len(index.kept_events())
    faults = [f"not in the index: {one}" for one, event in kept.items() if event is None]
    faults += [f"unfinished in the index: {one}" for one, event in kept.items() if event and event.end is None]
    return faults + [f"the index has {counted} events, the records are {len(records)}"] * (counted != len(records))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is lost by kills, and what is wrong after all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="half of the camera's process, half of all (100)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (1)")
    parser.add_argument("--folder", type=Path, help="where; a temporary one unless told")
    chosen = parser.parse_args(arguments)
    chance = random.Random(chosen.seed)
    with contextlib.ExitStack() as stack:
        folder = chosen.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kills-")))
        kills: list[Kill] = []
        while len(kills) < chosen.kills:
            run = Run(folder)
            for what in ("camera", "whole"):
                run.opened()
                kills.append(run.kill(what, chance.uniform(0, 6)))
                print(f"{len(kills)}: {what}, {len(kills[-1].open)} open", file=sys.stderr, flush=True)
        run = Run(folder)
        run.opened()
        run.stop()
        return 0 if check(folder, kills) else 1


if __name__ == "__main__":
    sys.exit(main())
