"""What the page costs: frames a second of watching and processor time with 0, 1 and 20 viewers, and 100,000 events.

    python scripts/bench_web.py [--cameras 8] [--seconds 24] [--width 480] [--events 100000]
    python scripts/bench_web.py --pairs 6 --events 0    # the first viewer alone, on a machine that is used

Pairs are of nobody and one viewer, in turn: what the viewer costs is the median of their differences. Cameras are a
sample video, looped, 640x360; it lasts 12 s, and seconds are a multiple of them, so that all runs see the same. Viewers
are programs that look at all cameras, ten pictures a second of each, and say that they have drawn them; their own time
does not count. Processor time is of the processes of the watch.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bgsub.live.archive.index import Index
from bgsub.live.clock import Clock
from bgsub.live.layout import event_id
from bgsub.live.messages import EventRecord

ROOT = Path(__file__).parents[1]
VIDEO = ROOT / "sample_videos" / "street.mp4"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=24)
    parser.add_argument("--width", type=int, default=480)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--viewers", type=int, nargs="*", default=[0, 1, 20, 0])
    parser.add_argument("--view", default="picture")
    parser.add_argument("--per-second", type=float, default=10)
    parser.add_argument("--pairs", type=int, default=0, help="measure the first viewer so many times, and nothing else")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), asked)


def measure(folder: Path, asked: argparse.Namespace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    lines = [f'listen = "127.0.0.1:0"\nstate = "state"\n[web]\nlisten = "127.0.0.1:{port}"\n']
    lines += [f'[[cameras]]\nname = "c{n}"\nsource = "{VIDEO}"\nloop = true\n' for n in range(asked.cameras)]
    (folder / "cameras.toml").write_text("".join(lines))
    (folder / "state").mkdir()
    if asked.events:
        fill(folder / "state" / "index.sqlite", asked.events)
    watch = subprocess.Popen(
        [sys.executable, "-m", "bgsub", "watch", "-q", "--config", folder / "cameras.toml"], cwd=ROOT
    )
    try:
        until_live(port, asked.cameras)
        time.sleep(5)
        if asked.pairs:
            pair(port, watch.pid, asked)
        for viewers in asked.viewers if not asked.pairs else []:
            look(port, watch.pid, viewers, asked)
        if asked.events:
            ask(port)
    finally:
        watch.send_signal(signal.SIGTERM)
        watch.wait(60)


def get(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return answer.read()


def until_live(port: int, n_cameras: int) -> None:
    while True:
        time.sleep(0.5)
        try:
            cameras = json.loads(get(port, "/api/overview"))["cameras"]
        except OSError:
            continue
        if sum(camera["state"] == "live" and camera["frames"] > 50 for camera in cameras) == n_cameras:
            return


# ------------------------------------------------------------------------------------------------------------ viewers


def pair(port: int, pid: int, asked: argparse.Namespace) -> None:
    """Measure with nobody and with one viewer in turn, and print how the two differ."""
    both = [(look(port, pid, 0, asked), look(port, pid, 1, asked)) for _ in range(asked.pairs)]
    for n, what in enumerate(("page and supervisor", "cameras", "together")):
        more = [(sum(with_one) - sum(without)) if n == 2 else with_one[n] - without[n] for without, with_one in both]
        low, high = np.percentile(more, (25, 75))
        text = f"{np.median(more):.1f} % of a core (half of {low:.1f} to {high:.1f})"
        print(f"the first viewer costs, {what}: {text}", flush=True)


def look(port: int, pid: int, viewers: int, asked: argparse.Namespace) -> tuple[float, float]:
    """Measure for a while with so many viewers in a process of their own, and return what page and cameras took."""
    code = f"import asyncio, sys; sys.path.insert(0, {str(ROOT)!r}); from scripts.bench_web import view; "
    views = {f"c{n}": [asked.view] for n in range(asked.cameras)}
    wish = {"type": "looking", "views": views, "per_second": asked.per_second, "width": asked.width}
    code += f"asyncio.run(view({port}, {json.dumps(wish)!r}, {viewers}, {asked.seconds + 6}))"
    program = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    time.sleep(3)
    before, frames = processor_time(pid), counted(port)
    began = time.monotonic()
    time.sleep(asked.seconds)
    took = time.monotonic() - began
    after, looked = processor_time(pid), counted(port)
    seen = program.communicate()[0].split()
    assert program.returncode == 0, "a viewer was sent away"
    own, cameras = ((after[n] - before[n]) / took * 100 for n in (0, 1))
    rates = [(looked[name][0] - frames[name][0]) / took for name in looked]
    dropped = sum(looked[name][1] - frames[name][1] for name in looked)
    print(
        f"{viewers:3d} viewers: {statistics.mean(rates):5.2f} frames/s looked at a camera ({min(rates):.2f} least), "
        f"{dropped} dropped; page and supervisor {own:5.1f} % of a core, cameras {cameras:6.1f} %; "
        f"pictures a viewer and second: {seen[0]}, {seen[1]} kB each",
        flush=True,
    )
    return own, cameras


def counted(port: int) -> dict[str, tuple[int, int]]:
    return {one["name"]: (one["frames"], one["dropped"]) for one in json.loads(get(port, "/api/overview"))["cameras"]}


def processor_time(pid: int) -> tuple[float, float]:
    """Return seconds of a process, and of its children."""
    tick = os.sysconf("SC_CLK_TCK")

    def spent(path: Path) -> float:
        fields = (path / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / tick

    children = [
        Path("/proc") / one for one in (Path("/proc") / str(pid) / "task" / str(pid) / "children").read_text().split()
    ]
    return spent(Path("/proc") / str(pid)), sum(map(spent, children))


async def view(port: int, wish: str, viewers: int, seconds: float) -> None:
    """Be so many viewers for a while, and print how many pictures one got a second, and their size in kB."""
    found = await asyncio.gather(*(view_one(port, wish, seconds) for _ in range(viewers)))
    pictures, size = sum(one[0] for one in found), sum(one[1] for one in found)
    print(
        f"{pictures / seconds / viewers:.1f}" if viewers else "0", f"{size / 1000 / pictures:.1f}" if pictures else "0"
    )


async def view_one(port: int, wish: str, seconds: float) -> tuple[int, int]:
    from websockets.asyncio.client import connect

    pictures = size = 0
    async with connect(f"ws://127.0.0.1:{port}/api/live", max_size=None, compression=None) as connection:
        await connection.send(wish)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(connection.recv(), left)
            except TimeoutError:
                break
            if isinstance(message, bytes):
                head = json.loads(message[4 : 4 + int.from_bytes(message[:4], "big")])
                pictures += len(head["pictures"])
                size += len(message)
                await connection.send(json.dumps({"type": "drawn", "number": head["number"]}))
    return pictures, size


# ------------------------------------------------------------------------------------------------------------- events


def fill(path: Path, n_events: int) -> None:
    """Make an index of so many events, of 30 days."""
    index, now = Index(path, Clock()), datetime.now(UTC)
    step = timedelta(days=30) / n_events
    for n in range(n_events):
        start = now - step * n - timedelta(seconds=1)
        camera = f"c{n % 8}"
        zones = ("gate",) if n % 7 == 0 else ()
        index.put_event(
            EventRecord(id=event_id(camera, start), camera=camera, start=start, end=start + timedelta(seconds=n % 40),
                        zones=zones, unusual=n % 100 / 100, segments=("c0/2026-01-01/kept.segment.mp4",))
        )  # fmt: skip
    index.close()


def ask(port: int) -> None:
    """Ask what a page asks, of a full index."""
    now = datetime.now(UTC)
    day = f"start={now - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}&end={now:%Y-%m-%dT%H:%M:%SZ}"
    before = json.loads(get(port, "/api/events?limit=1"))["next"]
    old = event_id("c0", now - timedelta(days=29))
    for what, path in {
        "first page": "/api/events",
        "first page as HTML": "/parts/events",
        "page after a month": f"/api/events?before={old}",
        "of a zone": "/api/events?zone=gate",
        "unusual, long, of a camera": "/api/events?camera=c3&unusual=0.9&min_length=30",
        "a zone that nothing touched": "/api/events?zone=none",
        "timeline of a day as HTML": f"/parts/timeline?{day}",
        "an event": f"/api/events/{before}",
        "overview": "/api/overview",
    }.items():
        times = []
        for _ in range(15):
            began = time.perf_counter()
            get(port, path)
            times.append(1000 * (time.perf_counter() - began))
        print(f"{what}: {statistics.median(times):.1f} ms (most {max(times):.1f})", flush=True)


if __name__ == "__main__":
    main()
