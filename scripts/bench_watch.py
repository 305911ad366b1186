"""Measure what `bgsub watch` costs: cameras over RTSP, looked at with the default model, events recorded.

The cameras are GStreamer's RTSP server, which sends packets that were encoded beforehand: no encoder runs while it is
measured. Its own processor time stands beside that of the watch, and is no part of it. The pictures are those of
sample videos, in which something moves nearly all the time: a camera in which nothing does costs less.

    PYTHONPATH=. python scripts/bench_watch.py                          # 8 cameras of 640x360, 15 pictures a second
    PYTHONPATH=. python scripts/bench_watch.py --cameras 1 2 4 8 12     # how many are too many
    PYTHONPATH=. taskset -c 0 python scripts/bench_watch.py --cores 0 --cameras 2 4 6    # on one core, server elsewhere
"""

from __future__ import annotations

import argparse
import json
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
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from bgsub import open_source
from tests.rtsp import RtspServer

SAMPLES = ("street", "room", "night", "rain", "trees", "water", "light_switch", "exposure")
_LINE = "( filesrc location={path} ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
_TICK = os.sysconf("SC_CLK_TCK")
_PORT = 8731


def encode(sample: Path, target: Path, size: tuple[int, int], rate: int, seconds: float, bitrate: int) -> None:
    """Write a video of a sample, again and again, whose packets a camera could have sent."""
    with open_source(sample) as source:
        step = max(1, round(float(source.info.fps or rate) / rate))
        images = [cv2.resize(frame.image, size) for frame in source if frame.index % step == 0]
    with av.open(str(target), "w") as container:
        stream: Any = container.add_stream("libx264", rate=rate, options={"preset": "veryfast", "tune": "zerolatency"})
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = *size, "yuv420p", bitrate
        stream.gop_size = 2 * rate
        packets = []
        for image in images:
            picture = av.VideoFrame.from_ndarray(image.astype(np.uint8), format="bgr24")
            packets += stream.encode(picture)
        packets += stream.encode(None)
        first = [(bytes(packet), packet.is_keyframe) for packet in packets]
        for i in range(round(seconds * rate)):
            data, key = first[i % len(first)]
            packet = av.Packet(data)
            packet.pts = packet.dts = i
            packet.time_base, packet.is_keyframe, packet.stream = Fraction(1, rate), key, stream
            container.mux(packet)


def tree(pid: int) -> list[int]:
    """Return a process and those that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = children.read_text().split() if children.exists() else []
    return [pid, *(one for child in found for one in tree(int(child)))]


def processor_seconds(pids: Sequence[int]) -> float:
    """Return those of all threads of processes since they began."""
    total = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / _TICK
    return total


def memory(pids: Sequence[int]) -> float:
    """Return MB of processes, shared parts divided among those that share them."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def cameras_now() -> dict[str, dict[str, Any]]:
    """Return how all cameras are, as /health tells."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{_PORT}/health", timeout=10) as answer:
            told = json.load(answer)
    except urllib.error.HTTPError as error:  # 503: one is not well, yet
        told = json.load(error)
    except OSError:
        return {}
    return told["cameras"]


def configuration(server: RtspServer, names: Sequence[str], folder: Path, method: str) -> Path:
    """Write the file of cameras."""
    lines = [f'directory = "{folder}/kept"', f'state = "{folder}/state"', f'listen = "127.0.0.1:{_PORT}"']
    lines += ["[retention]", "min_free = 0"]
    for name in names:
        lines += ["[[cameras]]", f'name = "{name}"', f'source = "{server.address(name)}"', f'method = "{method}"']
    path = folder / "cameras.toml"
    path.write_text("\n".join(lines))
    return path


def watched(server: RtspServer, names: Sequence[str], method: str, cores: str | None) -> Iterator[subprocess.Popen]:
    """Run a watch until this is closed."""
    with tempfile.TemporaryDirectory() as folder:
        path = configuration(server, names, Path(folder), method)
        command = [sys.executable, "-m", "bgsub", "watch", "-q", "--config", str(path)]
        if cores is not None:
            command = ["taskset", "-c", cores, *command]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)  # a shell lets what it runs in the background ignore Ctrl-C
            process.wait(60)


def measure(server: RtspServer, names: Sequence[str], asked: argparse.Namespace) -> str:
    """Watch so many cameras, and return a row of the table."""
    runs = watched(server, names, asked.method, asked.cores)
    process = next(runs)
    try:
        until = time.monotonic() + 240
        while not (now := cameras_now()) or any(one.get("frames", 0) < 30 for one in now.values()):
            if time.monotonic() > until:
                raise SystemExit("not all cameras are live")
            time.sleep(1)
        time.sleep(asked.warm_up)
        ours, theirs = tree(process.pid), [server.pid]
        before, served = processor_seconds(ours), processor_seconds(theirs)
        began, first, delays = time.monotonic(), cameras_now(), []
        while time.monotonic() - began < asked.seconds:
            time.sleep(1)
            delays += [one["delay"] for one in cameras_now().values()]
        took, last = time.monotonic() - began, cameras_now()
        share = (processor_seconds(ours) - before) / took
        server_share = (processor_seconds(theirs) - served) / took
        frames = sum(last[name]["frames"] - first[name]["frames"] for name in last)
        dropped = sum(last[name]["dropped"] - first[name]["dropped"] for name in last)
        delays.sort()
        return (
            f"| {len(names)} | {asked.method} | {share:.2f} | {share / len(names):.3f} | {server_share:.2f} "
            f"| {frames / took / len(names):.1f} | {dropped} of {frames + dropped} "
            f"| {1000 * statistics.median(delays):.0f} / {1000 * delays[int(0.99 * len(delays))]:.0f} "
            f"| {memory(ours) / (len(names) + 1):.0f} |"
        )
    finally:
        runs.close()  # type: ignore[attr-defined]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, nargs="+", default=[8], metavar="N", help="how many, one after another")
    parser.add_argument("--seconds", type=float, default=60.0, help="of measuring")
    parser.add_argument("--warm-up", type=float, default=20.0, help="seconds before it")
    parser.add_argument("--size", type=int, nargs=2, default=(640, 360), metavar=("W", "H"))
    parser.add_argument("--rate", type=int, default=15, help="pictures a second that cameras send")
    parser.add_argument("--bitrate", type=int, default=800_000)
    parser.add_argument("--method", default="adaptive")
    parser.add_argument("--cores", help="processors of the watch, as of taskset")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        length = len(asked.cameras) * (asked.seconds + asked.warm_up + 120)
        lines = {}
        for name in SAMPLES:
            path = Path(folder) / f"{name}.mp4"
            encode(Path("sample_videos") / f"{name}.mp4", path, tuple(asked.size), asked.rate, length, asked.bitrate)
            lines[name] = _LINE.format(path=path)
        every = {f"{SAMPLES[i % len(SAMPLES)]}{i}": lines[SAMPLES[i % len(SAMPLES)]] for i in range(max(asked.cameras))}
        print("| cameras | model | cores | a camera | server | looks/s | dropped | delay ms (median / 99 %) | MB |")
        print("|---|---|---|---|---|---|---|---|---|")
        for count in asked.cameras:
            with RtspServer(**every) as server:
                print(measure(server, list(every)[:count], asked), flush=True)


if __name__ == "__main__":
    main()
