"""Compare the events of videos cut into pieces with those of uncut scans, by how long models learn before a piece."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from bgsub.motion.cutting import cut
from bgsub.motion.events import Event, Rule
from bgsub.motion.job import ScanJob
from bgsub.motion.pieces import join_parts
from bgsub.motion.piecework import look_at
from bgsub.motion.results import Scanned
from bgsub.motion.scanning import Scan

ROW = "{:<24} {:>6} {:>8} {:>7} {:>6} {:>6} {:>6} {:>6} {:>6} {:>7}"
NEAR = 0.5  # seconds


def uncut(job: ScanJob) -> Scanned:
    """Return what a scan of the whole finds."""
    scan = Scan(job)
    list(scan)
    return scan.result


def alike(one: Event, other: Event, within: float) -> bool:
    """Say whether two events begin and end alike."""
    return max(abs(one.start - other.start), abs(one.end - other.end)) <= within


def row(name: str, length: float, warm_up: float, whole: Scanned, joined: Scanned, pieces: int) -> str:
    """Return a line: how many events are the same, begin or end up to half a second elsewhere, are missing, are new."""
    same = [e for e in whole.events if any(alike(e, other, 1e-6) for other in joined.events)]
    near = [e for e in whole.events if any(alike(e, other, NEAR) for other in joined.events)]
    new = [e for e in joined.events if not any(alike(e, other, NEAR) for other in whole.events)]
    kinds = sum(a.kind == b.kind for a in whole.events for b in joined.events if alike(a, b, NEAR))
    lost = len(whole.events) - len(near)
    counts = len(same), len(near) - len(same), lost, len(new), kinds
    return ROW.format(name, f"{length:g}", f"{warm_up:g}", pieces, len(whole.events), *counts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", nargs="+", help="with key frames that are not far apart")
    parser.add_argument("--pieces", type=float, default=20, help="seconds of a piece (20)")
    parser.add_argument("--warm-up", type=float, nargs="+", default=[0, 10, 20, 40, 60], help="seconds (0 10 20 40 60)")
    parser.add_argument("--min-motion", type=float, default=Rule().threshold, help="share of the picture (0.0005)")
    parser.add_argument("--merge", type=float, default=Rule().merge, help="seconds (2)")
    parser.add_argument("--fast", action="store_true", help="as bgsub scan --fast")
    chosen = parser.parse_args(arguments)
    print(ROW.format("video", "piece", "warm-up", "pieces", "events", "same", "near", "lost", "new", "kinds"))
    for video in chosen.videos:
        job = ScanJob(video, fast=chosen.fast, rule=Rule(threshold=chosen.min_motion, merge=chosen.merge))
        whole = uncut(job)
        for warm_up in chosen.warm_up:
            pieces = cut(job, chosen.pieces, warm_up)
            joined = join_parts(job, [look_at(job, piece) for piece in pieces])
            print(row(video.rpartition("/")[2], chosen.pieces, warm_up, whole, joined, len(pieces)), flush=True)


if __name__ == "__main__":
    main()
