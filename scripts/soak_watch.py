"""Run `bgsub watch` for an hour or more on a camera that goes away every minute, and tell whether anything grows.

The camera is GStreamer's RTSP server, which sends a file that was encoded beforehand; in each minute something walks
through the picture, so that an event is recorded, and then the server is killed for some seconds. Memory, descriptors
and threads of the supervisor and of the camera's process are read at the same two moments of each minute: shortly
before the kill, and while the camera is away.

    PYTHONPATH=. python scripts/soak_watch.py --minutes 70 --table soak.csv     # nice -n 10, on a machine that is used
    PYTHONPATH=. python scripts/soak_watch.py --evaluate soak.csv               # the figures alone
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.rtsp import RtspServer

SETTLING = 10.0  # minutes that are left out: caches fill, the model learns
_T = 2.0  # quantile of Student's distribution for a 95 % interval; 2.01 with 50 degrees of freedom

_SCENE = "color=gray:s=640x360:r=15:d=70,noise=alls=6:allf=t"
_WALKER = "color=white:s=40x90:r=15:d=70[w];[0][w]overlay=x='(t-15)*90':y=200"
_LINE = (
    "( filesrc location={path} ! qtdemux name=d d.video_0 ! queue ! h264parse ! "
    "rtph264pay name=pay0 pt=96 config-interval=-1 d.audio_0 ! queue ! aacparse ! rtpmp4gpay name=pay1 pt=97 )"
)


class Reading(NamedTuple):
    """What a process has at a moment."""

    minute: float
    phase: str
    process: str
    memory: float
    anonymous: float
    descriptors: int
    threads: int
    reconnects: int
    events: int


def make_scene(path: Path) -> None:
    """Encode the video that the camera sends: noise, and a walker from the 15th second to the 22nd."""
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", _SCENE, "-f", "lavfi", "-i", "sine=300:d=70"]
    command += ["-filter_complex", _WALKER, "-c:v", "libx264", "-preset", "veryfast", "-g", "30", "-b:v", "600k"]
    subprocess.run([*command, "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "48k", str(path)], check=True)


def processes_of(parent: int) -> dict[str, int]:
    """Return the supervisor's process and the camera's."""
    found = {"supervisor": parent}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            command = (status.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == parent and b"spawn_main" in command:
            found["camera"] = int(status.parent.name)
    return found


def look(minute: float, phase: str, pid: int, health: dict) -> Iterator[Reading]:
    """Read what the processes have."""
    camera = next(iter(health["cameras"].values()))
    for name, process in processes_of(pid).items():
        folder = Path(f"/proc/{process}")
        rollup = dict(line.split(":", 1) for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        yield Reading(
            round(minute, 2),
            phase,
            name,
            int(rollup["Rss"].split()[0]) / 1024,
            int(rollup["Anonymous"].split()[0]) / 1024,
            len(os.listdir(folder / "fd")),  # noqa: PTH208
            int(status["Threads"]),
            camera.get("reconnects", 0),
            camera["events"],
        )


def ask(address: str) -> dict:
    """Return what /health says."""
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def soak(minutes: float, away: float, table: Path) -> None:
    """Run it all, and write readings as they come."""
    with tempfile.TemporaryDirectory() as folder, table.open("w", newline="", buffering=1) as file:
        scene, log = Path(folder) / "scene.mp4", Path(folder) / "log"
        make_scene(scene)
        rows = csv.writer(file)
        rows.writerow(Reading._fields)
        with RtspServer(_LINE.format(path=scene)) as server, log.open("wb") as said:
            command = [sys.executable, "-m", "bgsub", "watch", server.url, "--listen", "127.0.0.1:0"]
            command += ["--into", f"{folder}/recordings", "--state", f"{folder}/state"]
            command += ["--max-size", "30MB", "--min-free", "100MB", "--json"]
            with subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT) as watch:
                try:
                    _soak(minutes, away, server, log, watch, rows.writerow)
                finally:
                    watch.send_signal(signal.SIGTERM)
                    print(f"ended with status {watch.wait(60)}")
        print("the last lines:", *log.read_text().splitlines()[-5:], sep="\n  ")


def _soak(minutes, away, server, log, watch, write) -> None:  # type: ignore[no-untyped-def]
    begun = time.monotonic()
    address = None
    while address is None:
        time.sleep(0.5)
        words = [word.strip('",') for line in log.read_text().splitlines() for word in line.split()]
        address = next((word.removesuffix("/health") for word in words if word.endswith("/health")), None)
        if watch.poll() is not None:
            sys.exit(log.read_text())
    cycle = 0
    while time.monotonic() - begun < minutes * 60:
        start = begun + 60 * cycle
        _until(start + 58 - away)
        _readings("live", begun, watch.pid, address, write)
        server.kill()
        _until(start + 58 - away + 3)
        _readings("away", begun, watch.pid, address, write)
        _until(start + 58)
        server.start()
        cycle += 1


def _until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


def _readings(phase: str, begun: float, pid: int, address: str, write) -> None:  # type: ignore[no-untyped-def]
    for reading in look((time.monotonic() - begun) / 60, phase, pid, ask(address)):
        write(reading)


def slope(minutes: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Return a straight line's slope an hour, and half of its 95 % interval.

    Readings follow each other, so that one tells of the next: the interval is that of as many independent readings as
    their correlation leaves.
    """
    hours = [minute / 60 for minute in minutes]
    fit = statistics.linear_regression(hours, values)
    left = [value - fit.slope * hour - fit.intercept for hour, value in zip(hours, values, strict=True)]
    spread = math.sqrt(sum((hour - statistics.fmean(hours)) ** 2 for hour in hours))
    variance = sum(one**2 for one in left) / (len(left) - 2)
    if variance == 0:
        return fit.slope, 0.0
    lag = sum(a * b for a, b in pairwise(left)) / sum(one**2 for one in left)
    fewer = (1 + max(lag, 0.0)) / (1 - min(max(lag, 0.0), 0.95))
    return fit.slope, _T * math.sqrt(variance * fewer) / spread


def evaluate(table: Path) -> None:
    """Print the figures."""
    with table.open(newline="") as file:
        readings = [
            Reading(float(m), phase, name, float(r), float(a), int(d), int(t), int(c), int(e))
            for m, phase, name, r, a, d, t, c, e in list(csv.reader(file))[1:]
        ]
    later = [one for one in readings if one.minute >= SETTLING]
    last = readings[-1]
    print(f"{last.minute:.1f} minutes, {last.reconnects} reconnects, {last.events} events")
    for phase in ("live", "away"):
        for name in ("supervisor", "camera"):
            chosen = [one for one in later if (one.phase, one.process) == (phase, name)]
            if len(chosen) < 4:
                continue
            minutes = [one.minute for one in chosen]
            parts = []
            for what, values in (
                ("resident", [one.memory for one in chosen]),
                ("anonymous", [one.anonymous for one in chosen]),
            ):
                steep, half = slope(minutes, values)
                parts.append(f"{what} {values[0]:.1f} -> {values[-1]:.1f} MiB, {steep:+.2f} +- {half:.2f} MiB/h")
            print(
                f"{phase} {name}: {'; '.join(parts)}; descriptors {_counts([one.descriptors for one in chosen])}; "
                f"threads {_counts([one.threads for one in chosen])}"
            )


def _counts(values: Sequence[int]) -> str:
    """Return which counts there were, and how often: ``{31: 50}``."""
    return str({value: values.count(value) for value in sorted(set(values))})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=70)
    parser.add_argument("--away", type=float, default=6, help="seconds for which the camera is off, each minute")
    parser.add_argument("--table", type=Path, default=Path("soak.csv"))
    parser.add_argument("--evaluate", type=Path, metavar="TABLE")
    options = parser.parse_args()
    if options.evaluate is None:
        soak(options.minutes, options.away, options.table)
    evaluate(options.evaluate or options.table)


if __name__ == "__main__":
    main()
