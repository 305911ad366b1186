"""Switch an RTSP camera off and on, freeze it and let it go on: how soon that is noticed, and pictures come again.

Run it in the repository's folder, as `python -m scripts.watch_reconnects`: the camera is that of the tests.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Sequence

from bgsub.video.live.source import LiveSource
from tests.rtsp import RtspServer, launch_line

PATIENCE = 120.0  # seconds


def until(source: LiveSource, state: str) -> float:
    """Look at pictures until the source is in a state; return that moment."""
    ends = time.monotonic() + PATIENCE
    for _ in source:
        if source.state == state:
            return time.monotonic()
        if time.monotonic() > ends:
            break
    raise SystemExit(f"it was not {state} within {PATIENCE:g} s: {source.why}")


def look(source: LiveSource, seconds: float) -> None:
    """Look at pictures for so long."""
    ends = time.monotonic() + seconds
    for _ in source:
        if time.monotonic() > ends:
            return


def told(name: str, seconds: Sequence[float]) -> str:
    """Return a line of a table."""
    return f"{name:<44} {statistics.median(seconds):8.2f} {max(seconds):8.2f} {len(seconds):6}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="of each kind (15)")
    parser.add_argument("--away", type=float, default=10.0, help="the most seconds that it is away (10)")
    parser.add_argument("--between", type=float, default=12.0, help="seconds between two rounds (12)")
    chosen = parser.parse_args(arguments)
    chance = random.Random(1)
    noticed: list[float] = []
    back: list[float] = []
    frozen: list[float] = []
    thawed: list[float] = []
    with RtspServer(launch_line()) as server, LiveSource(server.url, enough=12) as source:
        until(source, "live")
        for _ in range(chosen.rounds):
            look(source, chosen.between)
            server.kill()
            off = time.monotonic()
            noticed.append(until(source, "lost") - off)
            look(source, chance.uniform(0, chosen.away))
            server.start()
            on = time.monotonic()
            back.append(until(source, "live") - on)
        for _ in range(chosen.rounds // 3):
            look(source, chosen.between)
            server.stop()
            off = time.monotonic()
            frozen.append(until(source, "lost") - off)
            look(source, chance.uniform(0, chosen.away))
            server.cont()
            on = time.monotonic()
            thawed.append(until(source, "live") - on)
    print(f"{'seconds':<44} {'median':>8} {'most':>8} {'times':>6}")
    print(told("from the camera's end until it is noticed", noticed))
    print(told("from its start until its first picture", back))
    print(told("from a freeze until it is noticed", frozen))
    print(told("from its end until the next picture", thawed))


if __name__ == "__main__":
    main()
