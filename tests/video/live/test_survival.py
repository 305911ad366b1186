"""What a clip holds after a kill or a power cut, with a full disk or one that hangs, and when sound falls silent."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from bgsub.video.live.clips import PacketClip
from bgsub.video.live.clock import SystemClock
from bgsub.video.live.packets import Kept, Streams, Template
from bgsub.video.live.source import LiveSource
from tests.video.live.conftest import GOP, RATE
from tests.video.live.test_source import PATIENCE_S, finished, for_seconds, looked_at

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]

RECORDING = """
import sys
from pathlib import Path
from bgsub.video.live.source import LiveSource
with LiveSource(sys.argv[1], loop=True, pictures=True) as source:
    clip = None
    for picture in source:
        if picture is None:
            continue
        if clip is None:
            clip = source.open_clip(Path(sys.argv[2]), picture.time)
        if clip.start is not None:
            print(picture.time - clip.start, clip.error or "", sep="|", flush=True)
"""


def recording(*arguments: object, before: str = "") -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", before + RECORDING, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def shown(path: Path) -> list[float]:
    """Times of the pictures of a clip, all of which can be decoded."""
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0) if not frame.is_corrupt]


def test_a_clip_plays_to_its_last_second_whenever_the_program_is_killed(camera_file: Path, tmp_path: Path) -> None:
    chance = random.Random(5)
    for number in range(2):
        path = tmp_path / f"{number}.mp4"
        with recording(camera_file, path) as process:
            assert process.stdout is not None
            last = 0.0
            ends = 1.5 + 2.0 * chance.random()
            for line in process.stdout:
                last = float(line.partition("|")[0])
                if last >= ends:
                    break
            process.send_signal(signal.SIGKILL)
        times = shown(path)
        assert times[-1] >= last - 1.1
        assert times == pytest.approx([index / RATE for index in range(len(times))], abs=1e-3)


@pytest.mark.skipif(sys.platform == "win32", reason="limits are of POSIX")
def test_a_full_disk_is_told_and_the_camera_goes_on(camera_file: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
    with recording(camera_file, path, before=limit) as process:
        assert process.stdout is not None
        told, after = "", 0
        for line in process.stdout:
            told = line.strip().partition("|")[2]
            after += bool(told)
            if after > 20:
                break
        process.kill()
    assert told == f"cannot write {path}: File too large; raise the limit on file sizes or choose another disk"
    times = shown(path)
    assert len(times) >= RATE / 2
    assert times == pytest.approx([index / RATE for index in range(len(times))], abs=1e-3)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 KB; the test is skipped where nothing may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if (
        sys.platform != "linux"
        or os.geteuid() != 0
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("nothing may be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_fills_ends_a_clip_and_the_next_one_is_written_when_there_is_room(
    camera_file: Path, small_disk: Path
) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(bytes(180 << 10))
    with LiveSource(camera_file, loop=True) as source:
        now = looked_at(source, for_seconds(0.2))[-1].time
        clip = source.open_clip(small_disk / "full.mp4", now)
        assert clip.wait(PATIENCE_S)
        assert clip.error == f"cannot write {small_disk}/full.mp4: No space left on device; free some space"
        assert len(shown(clip.path)) >= RATE / 4
        assert clip.size == clip.path.stat().st_size
        filler.unlink()
        now = looked_at(source, for_seconds(0.2))[-1].time
        after = source.open_clip(small_disk / "after.mp4", now)
        after.close(until=now + 0.5)
        finished(after)
        assert len(shown(after.path)) == after.pictures


def test_a_clip_that_cannot_be_written_says_why_and_no_file_is_replaced(camera_file: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken.mp4"
    taken.write_bytes(b"mine")
    (tmp_path / "file").write_bytes(b"")
    with LiveSource(camera_file, loop=True) as source:
        now = looked_at(source, for_seconds(0.2))[-1].time
        over, into = source.open_clip(taken, now), source.open_clip(tmp_path / "file" / "x.mp4", now)
        assert over.wait(PATIENCE_S)
        assert into.wait(PATIENCE_S)
        assert over.error == f"cannot write {taken}: it exists already; move it away"
        assert (into.error or "").startswith(f"cannot write {tmp_path}/file/x.mp4: ")
        looked_at(source, for_seconds(0.3))
        assert source.state == "live"
    assert taken.read_bytes() == b"mine"


@pytest.mark.skipif(not hasattr(os, "fdatasync"), reason="this system has no fdatasync")
@pytest.mark.parametrize("fsync", [True, False])
def test_each_second_is_on_the_disk_unless_that_is_not_wanted(
    camera_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fsync: bool
) -> None:
    sizes: list[int] = []
    synced = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda fd: (sizes.append(os.fstat(fd).st_size), synced(fd)))
    with LiveSource(camera_file, loop=True) as source:
        now = looked_at(source, for_seconds(0.2))[-1].time
        clip = source.open_clip(tmp_path / "x.mp4", now, fsync=fsync)
        clip.close(until=looked_at(source, for_seconds(2.5))[-1].time)
        finished(clip)
    if not fsync:
        assert sizes == []
        return
    assert len(sizes) >= 5  # key frames are less than half a second apart, and each begins a fragment
    assert sizes == sorted(sizes)
    assert sizes[-1] == (tmp_path / "x.mp4").stat().st_size == clip.size


def test_sound_that_falls_silent_does_not_hold_up_the_pictures(camera_file: Path, tmp_path: Path) -> None:
    """What was received more than a second and a half ago is in the file, though no sound came."""
    with av.open(str(camera_file)) as container:
        streams = Streams(Template(container.streams.video[0]), Template(container.streams.audio[0]))
        sent = [packet for packet in container.demux(video=0) if packet.size]
    tick = streams.video.time_base
    clip = PacketClip(tmp_path / "x.mp4", streams, [], SystemClock(), fsync=False, audio=True)
    for index in range(200):
        packet, ticks = sent[index % GOP], round(index / RATE / tick)
        clip.take(Kept(bytes(packet), True, packet.is_keyframe, ticks, ticks, 0, 1000.0, 1000 + index / RATE))
    deadline = time.monotonic() + PATIENCE_S
    while clip.pictures < 200 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert shown(tmp_path / "x.mp4")[-1] >= 200 / RATE - 1.7
    clip.close()
    finished(clip)
    assert len(shown(tmp_path / "x.mp4")) == 200


def test_a_disk_that_hangs_holds_up_nobody_and_costs_no_more_than_its_share(camera_file: Path, tmp_path: Path) -> None:
    with av.open(str(camera_file)) as container:
        streams = Streams(Template(container.streams.video[0]))
        first = next(container.demux(video=0))
        key = Kept(bytes(first), True, True, 0, 0, 0, 0.0, 0.0)
    works = threading.Event()

    def hangs(image: np.ndarray, at: float) -> np.ndarray:
        works.wait(PATIENCE_S)
        return image

    clip = PacketClip(tmp_path / "x.mp4", streams, [key], SystemClock(), fsync=False, audio=False, paint=hangs)
    large = bytes(1 << 20)
    for index in range(1, 200):
        assert clip.take(Kept(large, True, index % GOP == 0, index, index, 0, 0.0, index / RATE))
    assert 100 < clip.missing < 200
    clip.close()
    assert not clip.closed
    works.set()
    assert clip.wait(PATIENCE_S)
    assert clip.error == f"{clip.missing} pictures of x.mp4 are missing: writing was too slow"
    assert len(shown(tmp_path / "x.mp4")) == 1
