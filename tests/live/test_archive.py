"""The archive of a watch: a folder that does not answer holds nobody up, and what is told meanwhile is not lost."""

import asyncio
import shutil
import sys
import threading
import time
from datetime import UTC, datetime

import pytest

from bgsub.errors import OutputError
from bgsub.live.archive.recordings import Recordings
from bgsub.live.archive.service import Archive
from bgsub.live.clock import Clock
from bgsub.live.health.metrics import Metrics
from bgsub.live.health.state import Health
from bgsub.live.locking import locked
from bgsub.live.messages import EventClosed, EventRecord, Hold, Trouble
from bgsub.live.one_thread import OneThread
from bgsub.live.settings import Camera, Retention, Watch
from bgsub.live.supervising.audience import Audience
from bgsub.live.supervising.running import LOCK, Running, with_places

PATIENCE = 60.0
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


class Supervisor:
    """Notes what cameras are sent."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.orders = []

    def order(self, message):
        self.orders.append(message)


class Heard:
    name = "test"

    def __init__(self):
        self.messages = []

    async def take(self, message):
        self.messages.append(message)


def running_in(folder, **rules):
    watch = Watch(
        cameras=(Camera(name="yard", source="0"),),
        directory=str(folder / "recordings"),
        state=str(folder / "state"),
        retention=Retention(**{"min_free": 1, **rules}),
    )
    (folder / "state").mkdir()
    clock = Clock()
    return Running(with_places(watch), clock, Health(clock), Audience(clock), Supervisor(), None)


async def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


def closed(name):
    return EventClosed(EventRecord(id=f"yard/{name}", camera="yard", start=NOON, end=NOON))


def test_a_folder_that_does_not_answer_holds_nobody_up(tmp_path, monkeypatch, caplog):
    answers, away = threading.Event(), Recordings.away

    def slow(self):
        answers.wait(PATIENCE)
        return away(self)

    monkeypatch.setattr(Recordings, "away", slow)

    async def run():
        running, numbers = running_in(tmp_path), []
        archive = Archive(numbers, patience=0.2)
        await asyncio.wait_for(archive.start(running), PATIENCE)
        assert running.health.wrong()["recordings"] == "the folder of recordings does not answer"
        running.audience.tell(closed("1"))
        await asyncio.sleep(0.1)
        answers.set()
        await until(lambda: "recordings" not in running.health.wrong())
        await until(lambda: archive.index.event("yard/1") is not None)
        assert "bgsub_recorded_events" in Metrics(running.health, numbers).text().decode()
        await running.audience.close(PATIENCE)
        await archive.stop()

    asyncio.run(run())
    assert f"{tmp_path / 'recordings'} does not answer; cameras are watched meanwhile" in caplog.messages


def test_a_program_ends_though_its_folder_never_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(Recordings, "away", lambda self: threading.Event().wait())

    async def run():
        running = running_in(tmp_path)
        archive = Archive([], patience=0.1)
        await archive.start(running)
        running.audience.tell(closed("1"))
        await running.audience.close(0.1)
        await archive.stop()

    asyncio.run(asyncio.wait_for(run(), PATIENCE))


def test_cameras_are_told_to_hold_and_everybody_why(tmp_path):
    async def run():
        running, heard = running_in(tmp_path, min_free=10**18), Heard()
        running.audience.add(heard)
        archive = Archive([])
        await archive.start(running)
        supervisor = running.supervisor
        await until(lambda: heard.messages)
        (hold, *_), (trouble,) = supervisor.orders, heard.messages
        assert (type(hold), type(trouble)) == (Hold, Trouble)
        assert hold.why == trouble.why == running.health.wrong()["recordings"]
        changed = Watch(cameras=running.watch.cameras, retention=Retention(min_free=1))
        await archive.change(changed)
        await until(lambda: len(heard.messages) == 2)
        assert heard.messages[1].why is None and supervisor.orders[-1] == Hold(why=None)
        await running.audience.close(PATIENCE)
        await archive.stop()

    asyncio.run(asyncio.wait_for(run(), 2 * PATIENCE))


def is_held(folder):
    """Whether another watch is kept from the folder."""
    try:
        with locked(folder, LOCK):
            return False
    except OutputError:
        return True


async def look_until(archive, condition):
    """Sweep until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        archive._sweeping.wake()
        await asyncio.sleep(0.1)


@pytest.mark.skipif(sys.platform == "win32", reason="a locked file cannot be removed there")
def test_a_folder_that_comes_back_or_is_made_anew_is_locked_and_none_that_another_watch_uses_is_used(
    tmp_path, monkeypatch
):
    folder, here = tmp_path / "recordings", threading.Event()
    away = Recordings.away
    monkeypatch.setattr(Recordings, "away", lambda self: away(self) if here.is_set() else "the share is away")

    async def run():
        running = running_in(tmp_path)
        archive = Archive([])
        await archive.start(running)
        wrong = running.health.wrong
        assert wrong()["recordings"] == "the share is away"
        folder.mkdir()
        assert not is_held(folder)
        with locked(folder, LOCK):
            here.set()
            await look_until(archive, lambda: "another bgsub watch" in wrong().get("recordings", ""))
            assert "another bgsub watch" in running.supervisor.orders[-1].why
        await look_until(archive, lambda: "recordings" not in wrong())
        assert is_held(folder)
        shutil.move(folder, tmp_path / "moved")
        await look_until(archive, lambda: folder.exists() and (folder / LOCK).exists())
        await look_until(archive, lambda: "recordings" not in wrong())
        assert is_held(folder) and not is_held(tmp_path / "moved")
        await running.audience.close(PATIENCE)
        await archive.stop()
        assert not is_held(folder)

    asyncio.run(asyncio.wait_for(run(), 4 * PATIENCE))


def test_one_thread_keeps_the_order_and_hands_errors_on():
    async def run():
        thread, done = OneThread("test"), []
        first, second = thread.do(done.append, 1), thread.do(done.append, 2)
        failing = thread.do(int, "x")
        await asyncio.gather(first, second)
        assert done == [1, 2]
        with pytest.raises(ValueError, match="invalid literal"):
            await failing
        given_up = thread.do(done.append, 3)
        given_up.cancel()
        await thread.do(done.append, 4)
        assert done == [1, 2, 3, 4]
        thread.end()

    asyncio.run(asyncio.wait_for(run(), PATIENCE))
