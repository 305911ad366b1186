"""A camera's process as it is: a looped file is looked at and recorded, it is killed, and begins again."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

import bgsub
from bgsub.live.camera.loop import CameraLoop
from bgsub.live.camera.process import run_camera
from bgsub.live.messages import (
    CameraFound,
    CameraLost,
    EventClosed,
    EventOpened,
    EventRecord,
    FromCamera,
    Note,
    SegmentClosed,
    SegmentOpened,
    Show,
    Shown,
    Status,
    Stop,
    ToCamera,
    encode,
    from_camera,
)
from bgsub.live.settings import Camera, Retention, Watch, Zone
from tests.live.played import run_with_small_files
from tests.motion.recordings import HEIGHT, WIDTH, record

pytestmark = pytest.mark.slow

PATIENCE = 120.0  # seconds; what takes two on an idle machine
PRIVATE = Zone(name="bed", kind="privacy", polygon=((0.5, 0.25), (0.9, 0.25), (0.9, 0.6), (0.5, 0.6)))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds in which something crosses the picture for one."""
    return record(tmp_path_factory.mktemp("yard") / "yard.mkv", 150, [(60, 90)])


def asked(clip: Path, folder: Path, **settings: Any) -> tuple[Camera, Watch]:
    camera = Camera(name="yard", source=str(clip), loop=True, before=1, after=1, merge=1, **settings)
    watch = Watch(
        cameras=(camera,), directory=str(folder / "kept"), state=str(folder / "state"), retention=Retention(min_free=0)
    )
    return camera, watch


class Process:
    """The process of a camera, and what it has told."""

    def __init__(self, camera: Camera, watch: Watch, program: Callable = run_camera) -> None:
        context = multiprocessing.get_context("spawn")
        self.ours, theirs = context.Pipe()
        self.process = context.Process(target=program, args=(camera, watch, theirs))
        self.process.start()
        theirs.close()
        self.told: list[FromCamera] = []

    def until(self, wanted: Callable[[FromCamera], bool]) -> Any:
        """Take messages until one is wanted, and return it."""
        end = time.monotonic() + PATIENCE
        while self.ours.poll(max(0.0, end - time.monotonic())):
            self.told.append(from_camera(self.ours.recv_bytes()))
            if wanted(self.told[-1]):
                return self.told[-1]
        raise AssertionError(f"it did not come: {self.told[-5:]}")

    def until_a(self, kind: type) -> Any:
        return self.until(lambda message: isinstance(message, kind))

    def say(self, message: ToCamera) -> None:
        self.ours.send_bytes(encode(message))

    def end(self) -> int | None:
        """Let it stop, take what it tells, and return its status."""
        with contextlib.suppress(OSError):
            self.say(Stop())
        self.rest()
        self.process.join(PATIENCE)
        return self.process.exitcode

    def rest(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                self.told.append(from_camera(self.ours.recv_bytes()))

    def of(self, *kinds: type) -> list[Any]:
        return [message for message in self.told if isinstance(message, kinds)]


@contextlib.contextmanager
def running(camera: Camera, watch: Watch, program: Callable = run_camera) -> Iterator[Process]:
    process = Process(camera, watch, program)
    try:
        yield process
    finally:
        process.process.kill()
        process.process.join()


def frames(path: Path) -> list[np.ndarray]:
    with bgsub.open_source(str(path)) as source:
        return [frame.image for frame in source]


def records(folder: Path) -> dict[str, EventRecord]:
    paths = (folder / "kept").rglob("*.json")
    found = [msgspec.json.decode(path.read_bytes(), type=EventRecord) for path in paths]
    return {one.id: one for one in found}


def test_a_killed_process_leaves_a_clip_that_plays_and_the_next_one_completes_its_event_once(
    clip: Path, tmp_path: Path
) -> None:
    camera, watch = asked(clip, tmp_path)
    with running(camera, watch) as process:
        opened = process.until_a(EventOpened).record
        assert records(tmp_path)[opened.id].end is None
        path = Path(watch.directory) / opened.clip
        process.until(lambda message: isinstance(message, Status) and path.stat().st_size > 4000)
        os.kill(process.process.pid, signal.SIGKILL)
        process.process.join()
    assert len(frames(path)) > 10
    with running(camera, watch) as process:
        closed = process.until_a(EventClosed).record
        assert (closed.id, closed.clip, closed.error) == (opened.id, opened.clip, "the program ended during it")
        shown = (closed.clip_end - closed.clip_start).total_seconds()
        assert shown == pytest.approx(len(frames(path)) / 25, abs=0.3)
        second = process.until_a(EventOpened).record
        assert process.end() == 0
        assert [message.record.id for message in process.of(EventClosed)] == [opened.id, second.id]
    assert set(records(tmp_path)) == {opened.id, second.id}
    assert records(tmp_path)[opened.id] == closed


def test_it_ends_when_nobody_listens_any_more(clip: Path, tmp_path: Path) -> None:
    with running(*asked(clip, tmp_path)) as process:
        opened = process.until_a(EventOpened).record
        process.ours.close()
        process.process.join(PATIENCE)
        assert process.process.exitcode == 0
    assert records(tmp_path)[opened.id].end is not None  # it ended in order


def test_sigterm_ends_it_in_order_and_ctrl_c_is_for_its_supervisor(clip: Path, tmp_path: Path) -> None:
    with running(*asked(clip, tmp_path)) as process:
        process.until(lambda message: isinstance(message, Status) and message.frames > 0)
        process.process.terminate()
        process.rest()
        process.process.join(PATIENCE)
        assert process.process.exitcode == 0
    assert (tmp_path / "state" / "models" / "yard.bgsub").exists()


def test_what_can_be_no_camera_is_told_in_one_line(tmp_path: Path) -> None:
    camera, watch = asked(tmp_path / "missing.mkv", tmp_path)
    camera = msgspec.structs.replace(camera, loop=False)
    with running(camera, watch) as process:
        process.rest()
        process.process.join(PATIENCE)
        assert process.process.exitcode == 1
        (note,) = process.of(Note)
    assert "missing.mkv" in note.text and "\n" not in note.text


@pytest.mark.skipif(sys.platform == "win32", reason="it has no limits of files")
def test_a_disk_that_is_full_is_told_and_what_was_written_by_then_plays(clip: Path, tmp_path: Path) -> None:
    with running(*asked(clip, tmp_path), run_with_small_files) as process:
        one = process.until_a(EventClosed).record
        process.until(lambda message: isinstance(message, Status) and message.trouble == one.error)
        assert process.end() == 0
    assert one.error.startswith("cannot write ") and "File too large" in one.error
    if one.clip is not None:
        shown = frames(tmp_path / "kept" / one.clip)
        assert (one.clip_end - one.clip_start).total_seconds() == pytest.approx(len(shown) / 25, abs=0.1)
    assert any("what was learned is not kept" in note.text for note in process.of(Note))


def looked(clip: Path, folder: Path, until: Callable[[list[FromCamera]], bool], **settings: Any) -> list[FromCamera]:
    """What a loop in this process tells until there is enough."""
    told: list[FromCamera] = []
    stop = threading.Event()

    def send(message: FromCamera) -> None:
        told.append(message)
        if until(told):
            stop.set()

    loop = CameraLoop(*asked(clip, folder, **settings), send)
    loop.hear(Show(views=("picture", "overlay", "mask", "background")))
    ender = threading.Timer(PATIENCE, stop.set)
    ender.start()
    loop.run(stop)
    ender.cancel()
    return told


def of(told: list[FromCamera], *kinds: type) -> list[Any]:
    return [message for message in told if isinstance(message, kinds)]


def black(image: np.ndarray) -> bool:
    """Whether the private part of a picture is."""
    height, width = image.shape[:2]
    return int(image[int(0.25 * height) : int(0.6 * height), int(0.5 * width) : int(0.9 * width)].max()) < 24


def test_what_is_private_is_black_in_all_that_is_written_and_shown(clip: Path, tmp_path: Path, caplog) -> None:
    told = looked(
        clip,
        tmp_path,
        lambda told: bool(of(told, EventClosed)) and bool(of(told, SegmentClosed)),
        record="both",
        segment=5.0,
        zones=(PRIVATE,),
    )
    assert "what is recorded is encoded anew, for a privacy zone or what is drawn: " in caplog.text
    assert "takes about 0.3 ms of a processor for each picture of 160x120" in caplog.text
    (event, *_), kept = of(told, EventClosed), tmp_path / "kept"
    clips = [message.record.clip for message in of(told, EventClosed)]
    clips += [message.record.path for message in of(told, SegmentOpened)]
    pictures = [frame for name in clips for frame in frames(kept / name)]
    assert len(pictures) > 200
    pictures.append(cv2.imread(str(kept / event.record.thumbnail)))
    shown = {message.view: message.jpeg for message in of(told, Shown)}
    assert set(shown) == {"picture", "overlay", "mask", "background"}
    pictures += [cv2.imdecode(np.frombuffer(jpeg, np.uint8), 1) for jpeg in shown.values()]
    assert all(map(black, pictures))
    assert max(int(picture.max()) for picture in pictures) > 180
    assert {path.name for path in kept.rglob("*.mp4")} == {Path(name).name for name in clips}  # nothing else was kept
    segments = [message.record for message in of(told, SegmentClosed)]
    assert [one.path for one in segments] == [message.record.path for message in of(told, SegmentOpened)]
    for first, second in itertools.pairwise(segments):  # nothing is missing between them
        assert (second.start - first.end).total_seconds() == pytest.approx(0.04, abs=0.03)
    assert all(one.size == (kept / one.path).stat().st_size for one in segments)
    covering = [one for one in segments if one.start <= event.record.end and one.end >= event.record.start]
    assert {one.path for one in covering} <= set(event.record.segments) <= {one.path for one in segments}


def test_the_small_stream_is_looked_at_and_the_large_one_recorded(clip: Path, tmp_path: Path) -> None:
    gate = Zone(name="gate", polygon=((0.5, 0), (1, 0), (1, 1), (0.5, 1)))
    large = tmp_path / "large.mkv"
    _enlarge(clip, large)
    camera = {"detect": str(clip), "zones": (gate,)}
    told = looked(large, tmp_path, lambda told: bool(of(told, EventClosed)), **camera)
    (event, *_) = of(told, EventClosed)
    pictures = frames(tmp_path / "kept" / event.record.clip)
    assert pictures[0].shape == (2 * HEIGHT, 2 * WIDTH, 3)
    assert event.record.zones == ("gate",)
    assert of(told, Status)[-1].width == WIDTH
    shown = (event.record.clip_end - event.record.clip_start).total_seconds()
    assert shown == pytest.approx(len(pictures) / 25, abs=0.2)
    assert event.record.clip_start <= event.record.start
    square = [i for i, image in enumerate(pictures) if image[90:120].mean((0, 2)).max() > 160]
    seconds = (event.record.start - event.record.clip_start).total_seconds()
    assert min(square) / 25 == pytest.approx(seconds, abs=0.6)  # both streams have one time


def _enlarge(clip: Path, target: Path) -> None:
    from tests.motion.recordings import pictures as made
    from tests.video.clips import write_clip

    write_clip(target, [np.kron(image, np.ones((2, 2, 1), np.uint8)) for image in made(150, [(60, 90)])])


def test_boxes_and_masks_are_drawn_into_clips(clip: Path, tmp_path: Path) -> None:
    told = looked(clip, tmp_path, lambda told: bool(of(told, EventClosed)), draw=("boxes", "mask"))
    (event, *_) = of(told, EventClosed)
    clip_shown = frames(tmp_path / "kept" / event.record.clip)
    drawn = [bool((image[..., (0, 2)].mean(2) - image[..., 1] > 60).sum() > 20) for image in clip_shown]  # magenta
    first = drawn.index(True)
    seconds = (event.record.start - event.record.clip_start).total_seconds()
    assert first / 25 == pytest.approx(seconds, abs=0.5)  # from when it came, though it was told later
    assert not any(drawn[: first - 5]) and sum(drawn) > 15


@pytest.mark.needs_system
def test_a_camera_that_goes_and_comes_back_is_told_and_makes_no_event(tmp_path: Path) -> None:
    from tests.rtsp import RtspServer, launch_line

    still = launch_line(320, 240, 15, sound=None).replace("pattern=ball", "pattern=checkers-8")
    with RtspServer(still) as server:
        camera = Camera(name="yard", source=server.url, record="both", segment=5)
        watch = Watch(
            cameras=(camera,),
            directory=str(tmp_path / "kept"),
            state=str(tmp_path / "state"),
            retention=Retention(min_free=0),
        )
        with running(camera, watch) as process:
            process.until(lambda message: isinstance(message, Status) and message.frames > 30)
            server.kill()
            lost = process.until_a(CameraLost)
            server.start()
            found = process.until_a(CameraFound)
            back = process.until(lambda message: isinstance(message, Status) and message.state == "live")
            process.until(lambda message: isinstance(message, Status) and message.frames > back.frames + 40)
            assert process.end() == 0
    assert "rtsp://127.0.0.1" in lost.why
    assert found.away > 0
    assert process.of(EventOpened) == []
    kept = [message.record for message in process.of(SegmentClosed)]
    assert kept and all(frames(tmp_path / "kept" / one.path) for one in kept)
