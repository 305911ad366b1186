"""Files that are written beside the looking, messages that are sent beside it, and models that are kept."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bgsub.live.camera.outbox import Outbox
from bgsub.live.clock import Clock
from bgsub.live.messages import CameraLost, FromCamera, Shown, Status
from bgsub.live.recording.filing import Filing
from tests.live.recordings_made import SteppedClock

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_work_is_done_in_its_order_and_an_error_costs_only_its_own(tmp_path: Path, caplog) -> None:
    filing, done = Filing(tmp_path, 0, Clock()), []

    def fail() -> None:
        raise OSError("no space left")

    def break_down() -> None:
        raise ZeroDivisionError("wrong")

    with caplog.at_level(logging.WARNING, "bgsub"):
        for work in (lambda: done.append(1), fail, lambda: done.append(2), break_down, lambda: done.append(3)):
            assert filing.do(work)
        assert filing.close(60)
    assert done == [1, 2, 3]
    assert "no space left" in caplog.text and "cannot file what was recorded" in caplog.text


def test_a_folder_that_does_not_answer_is_told_until_it_does(tmp_path: Path) -> None:
    clock, away, done = SteppedClock(), threading.Event(), []
    filing = Filing(tmp_path, 0, clock)
    begun = threading.Event()
    filing.do(lambda: (begun.set(), away.wait(60)))
    begun.wait(60)
    assert filing.trouble is None and filing.do(lambda: done.append(1))
    clock.step(11)
    assert filing.trouble == f"{tmp_path} does not answer; is the share away?"
    assert not filing.do(lambda: done.append(2))
    away.set()
    wait_for(lambda: filing.trouble is None)
    assert filing.close(60) and done == [1]


def test_no_more_waits_than_can_be_held(tmp_path: Path) -> None:
    filing, away = Filing(tmp_path, 0, SteppedClock()), threading.Event()
    taken = [filing.do(lambda: away.wait(60)) for _ in range(100)]
    assert 64 <= sum(taken) <= 65
    away.set()
    assert filing.close(60)


def test_too_little_room_is_told_and_so_is_what_the_supervisor_says(tmp_path: Path) -> None:
    filing = Filing(tmp_path, 1 << 62, Clock())
    filing.look_after()
    wait_for(lambda: filing.trouble)
    assert filing.trouble.startswith(f"cannot record in {tmp_path}: ")
    filing.hold("the share is away")
    assert filing.trouble == "the share is away"
    assert filing.close(60)


def status(frames: int) -> Status:
    return Status(camera="yard", at=NOW, state="live", since=NOW, frames=frames)


def test_messages_keep_their_order_and_of_pictures_and_states_the_newest_is_sent() -> None:
    got: list[FromCamera] = []
    first, go_on = threading.Event(), threading.Event()

    def deliver(message: FromCamera) -> None:
        first.set()
        go_on.wait(60)
        got.append(message)

    outbox = Outbox(deliver, lambda: None)
    lost = [CameraLost(camera="yard", at=NOW, why=str(i)) for i in range(3)]
    outbox.send(lost[0])
    first.wait(60)
    for i in range(5):
        outbox.send(status(i))
        outbox.send(Shown(camera="yard", view="mask", at=NOW, jpeg=bytes([i])))
        outbox.send(Shown(camera="yard", view="picture", at=NOW, jpeg=bytes([i])))
    outbox.send(lost[1])
    outbox.send(lost[2])
    go_on.set()
    outbox.close(60)
    assert [m for m in got if isinstance(m, CameraLost)] == lost
    assert [m.frames for m in got if isinstance(m, Status)] == [4]
    assert [(m.view, m.jpeg) for m in got if isinstance(m, Shown)] == [("mask", b"\4"), ("picture", b"\4")]


def test_a_supervisor_that_is_gone_is_noticed_and_one_that_hangs_fills_nothing() -> None:
    gone, go_on = threading.Event(), threading.Event()

    def deliver(message: FromCamera) -> None:
        go_on.wait(60)
        raise BrokenPipeError

    outbox = Outbox(deliver, gone.set)
    for i in range(3000):
        outbox.send(CameraLost(camera="yard", at=NOW, why=str(i)))
    assert len(outbox._waiting) <= 1000
    go_on.set()
    assert gone.wait(60)


def test_a_model_is_saved_now_and_then_and_one_that_cannot_be_is_told(tmp_path: Path, caplog) -> None:
    from bgsub.live.looking.kept_model import KeptModel
    from bgsub.live.looking.watching import Watching
    from bgsub.live.settings import Camera
    from tests.live.scenes import INFO, pictures

    watching = Watching(Camera(name="yard", source="played"), INFO)
    for picture in pictures(1):
        watching.look(picture)
    clock = SteppedClock()
    kept = KeptModel(tmp_path / "models" / "yard.bgsub", clock)
    kept.tick(watching)
    assert not kept.path.exists()
    clock.step(61)
    kept.tick(watching)
    wait_for(kept.path.exists)
    saved = kept.path.stat().st_mtime_ns
    clock.step(300)
    kept.tick(watching)
    assert kept.path.stat().st_mtime_ns == saved
    kept.finish(watching)
    assert kept.path.stat().st_mtime_ns > saved
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING, "bgsub"):
        KeptModel(tmp_path / "file" / "yard.bgsub", clock).finish(watching)
    assert "what was learned is not kept: " in caplog.text


def test_nothing_is_written_where_a_share_was(tmp_path: Path) -> None:
    filing, done = Filing(tmp_path, 0, Clock()), []
    filing.hold("it is away", away=True)
    assert not filing.do(lambda: done.append("away"))
    filing.hold("no room")
    assert filing.do(lambda: done.append("told without a clip"))
    filing.hold(None)
    assert filing.do(lambda: done.append("again")) and filing.close(60)
    assert done == ["told without a clip", "again"]
