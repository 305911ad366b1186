"""Supervisors of processes that really die, hang, babble and end."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from bgsub.live.clock import Clock
from bgsub.live.messages import CameraFound, CameraLost, EventClosed, Hold, Note, Shown, Status
from bgsub.live.settings import Camera, Tell, Watch, Webhook
from bgsub.live.supervising.audience import Audience
from bgsub.live.supervising.keeping_up import Pace
from bgsub.live.supervising.supervisor import Supervisor
from tests.live.acting import PROGRAM

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are killed by signals")

PATIENCE = 60.0
QUICK = Pace(0.1, 0.4, 60.0, 0.3, 2.0, 20.0, 5.0)


@dataclass
class Heard:
    """A listener that keeps what it is told."""

    name: str = "test"
    messages: list = field(default_factory=list)

    async def take(self, message):
        self.messages.append(message)

    def of(self, kind, camera=None):
        return [m for m in self.messages if isinstance(m, kind) and camera in (None, getattr(m, "camera", None))]

    def live(self, camera):
        return [m for m in self.of(Status, camera) if m.state == "live"]


async def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


def cameras(**sources):
    return Watch(cameras=tuple(Camera(name=name, source=source) for name, source in sources.items()))


def supervised(trial, pace=QUICK, watch=None, **sources):
    """Run a trial, a coroutine function of a supervisor and what was heard; then stop."""
    heard = Heard()

    async def run():
        audience = Audience(Clock())
        audience.add(heard, statuses=True, room=100_000)
        supervisor = Supervisor(watch or cameras(**sources), audience, pace=pace, program=PROGRAM)
        supervisor.start()
        try:
            await asyncio.wait_for(trial(supervisor, heard), 2 * PATIENCE)
        finally:
            await supervisor.stop()
            await audience.close(PATIENCE)

    asyncio.run(run())
    return heard


def test_what_processes_say_is_heard_and_all_end_in_order(tmp_path, monkeypatch):
    monkeypatch.setenv("ACTING_ENDS", str(tmp_path / "ends"))

    async def trial(supervisor, heard):
        await until(lambda: heard.live("yard") and heard.live("door"))
        assert {kept.status.state for kept in supervisor.cameras.values()} == {"live"}

    heard = supervised(trial, yard="event:1 event:2", door="")
    assert [m.record.id for m in heard.of(EventClosed)] == ["yard/1", "yard/2"]
    assert sorted((tmp_path / "ends").read_text().split()) == ["door", "yard"]
    assert not heard.of(CameraLost) and not heard.of(Note)


def test_pictures_go_straight_to_who_shows_them():
    seen = []

    async def trial(supervisor, heard):
        supervisor.seen = lambda shown: seen.append((shown.jpeg, threading.current_thread().name))
        await until(lambda: heard.of(EventClosed) and heard.live("yard") and len(seen) == 3)
        os.kill(supervisor.cameras["yard"].pid, signal.SIGKILL)  # the next process is listened to as well
        await until(lambda: len(seen) == 6)

    heard = supervised(trial, yard="show:1 show:2 event:1 show:3", door="")
    assert [jpeg for jpeg, _ in seen] == [b"1", b"2", b"3"] * 2
    assert {thread for _, thread in seen} == {"bgsub-hear-yard"}
    assert not heard.of(Shown)


def test_who_cannot_show_pictures_costs_a_camera_nothing(caplog):
    def fail(shown):
        raise RuntimeError("no page")

    async def trial(supervisor, heard):
        supervisor.seen = fail
        await until(lambda: heard.of(EventClosed) and heard.live("yard"))
        assert supervisor.cameras["yard"].restarts == 0

    heard = supervised(trial, yard="show:1 show:2 event:1", door="")
    assert not heard.of(CameraLost)
    assert [line for line in caplog.messages if "shown" in line] == ["a picture of yard cannot be shown: no page"]


def test_a_killed_process_is_told_once_started_again_and_costs_the_others_nothing():
    async def trial(supervisor, heard):
        await until(lambda: heard.live("yard") and heard.live("door"))
        others = supervisor.cameras["door"].pid
        os.kill(supervisor.cameras["yard"].pid, signal.SIGKILL)
        await until(lambda: heard.of(CameraFound))
        assert supervisor.cameras["door"].pid == others
        assert supervisor.cameras["yard"].restarts == 1

    heard = supervised(trial, yard="", door="")
    (lost,), (found,) = heard.of(CameraLost), heard.of(CameraFound)
    assert (lost.camera, lost.why) == ("yard", "its process was killed by SIGKILL; started again in 0.1 s")
    assert found.camera == "yard" and found.away > 0
    (broken,) = [m for m in heard.of(Status) if m.state == "broken"]
    assert broken.why == lost.why
    (note,) = heard.of(Note)
    assert note.text == lost.why


def test_one_that_dies_again_and_again_is_told_once_and_started_less_and_less_often():
    async def trial(supervisor, heard):
        await until(lambda: len(heard.of(Note, "yard")) >= 4)
        await until(lambda: heard.live("door"))

    heard = supervised(trial, yard="die:3", door="")
    assert [m.camera for m in heard.of(CameraLost)] == ["yard"]
    delays = [m.text.rpartition(" in ")[2] for m in heard.of(Note, "yard")]
    assert delays[:4] == ["0.1 s", "0.2 s", "0.4 s", "0.4 s"]
    assert heard.of(Note, "yard")[0].text.startswith("its process ended with status 3;")
    assert len({m.since for m in heard.of(Status, "yard")}) == 1  # broken since the first time


def test_why_one_could_not_begin_is_told_with_its_own_words():
    async def trial(supervisor, heard):
        await until(lambda: heard.of(CameraLost))

    (lost,) = supervised(trial, yard="error:no-such-zone die:1").of(CameraLost)
    assert lost.why == "its process ended with status 1 (no-such-zone); started again in 0.1 s"


def test_one_that_hangs_is_killed_and_started_again():
    async def trial(supervisor, heard):
        await until(lambda: heard.live("yard") and heard.live("door"))
        os.kill(supervisor.cameras["yard"].pid, signal.SIGSTOP)
        await until(lambda: heard.of(CameraFound))

    heard = supervised(trial, yard="", door="")
    assert [m.why for m in heard.of(CameraLost)] == [
        "its process gave no sign for 2 s, and was killed; started again in 0.1 s"
    ]
    assert not heard.of(CameraLost, "door")


def test_a_supervisor_that_slept_itself_kills_nobody(monkeypatch):
    monkeypatch.setattr("bgsub.live.supervising.keeping_up._LATE", 0.9)

    async def trial(supervisor, heard):
        await until(lambda: heard.live("yard"))
        pid = supervisor.cameras["yard"].pid
        os.kill(pid, signal.SIGSTOP)  # as all that runs does, on a machine that sleeps
        time.sleep(3)
        os.kill(pid, signal.SIGCONT)
        before = len(heard.live("yard"))
        await until(lambda: len(heard.live("yard")) > before + 5)
        assert supervisor.cameras["yard"].pid == pid

    heard = supervised(trial, yard="")
    assert not heard.of(CameraLost) and not heard.of(Note)


def test_one_that_never_says_anything_has_longer_to_begin():
    async def trial(supervisor, heard):
        await until(lambda: heard.of(Note))

    heard = supervised(trial, pace=QUICK._replace(silent=0.1, beginning=1.0), yard="mute")
    assert heard.of(Note)[0].text == "its process gave no sign for 1 s, and was killed; started again in 0.1 s"


def test_one_that_says_what_nobody_understands_is_started_again():
    async def trial(supervisor, heard):
        await until(lambda: heard.of(CameraLost))

    (lost,) = supervised(trial, yard="babble").of(CameraLost)
    assert lost.why.startswith("its process said what nobody understands (")


def test_one_that_does_not_end_is_killed():
    async def trial(supervisor, heard):
        await until(lambda: heard.live("yard"))

    heard = supervised(trial, pace=QUICK._replace(stopping=0.5), yard="deaf")
    assert {m.text for m in heard.of(Note)} == {"did not end within 0.5 s, and was killed"}


def test_a_camera_that_was_lost_in_the_run_before_is_told_as_found_and_not_as_lost_again():
    since = datetime.now(UTC) - timedelta(hours=2)

    async def trial(supervisor, heard):
        supervisor.recall({"window": since})  # what was read late
        await until(lambda: heard.of(CameraFound, "door") and heard.of(CameraFound, "window"))
        await until(lambda: heard.of(Status, "yard"))

    heard = Heard()

    async def run():
        audience = Audience(Clock())
        audience.add(heard, statuses=True, room=100_000)
        watch = cameras(yard="lost:refused", door="", window="", gate="")
        supervisor = Supervisor(watch, audience, pace=QUICK, program=PROGRAM)
        supervisor.recall({"yard": since, "door": since, "elsewhere": since})
        supervisor.start()
        try:
            await asyncio.wait_for(trial(supervisor, heard), 2 * PATIENCE)
        finally:
            await supervisor.stop()
            await audience.close(PATIENCE)

    asyncio.run(run())
    assert heard.of(CameraLost) == []
    assert {found.camera for found in heard.of(CameraFound)} == {"door", "window"}
    assert all(abs(found.away - 7200) < 600 for found in heard.of(CameraFound))


def test_a_lost_camera_whose_settings_change_is_told_as_found():
    async def trial(supervisor, heard):
        await until(lambda: heard.of(CameraLost))
        await supervisor.change(cameras(yard="-"))
        await until(lambda: heard.of(CameraFound))

    heard = supervised(trial, yard="lost:refused")
    assert len(heard.of(CameraLost)) == len(heard.of(CameraFound)) == 1


def test_a_camera_that_is_lost_and_found_is_told_as_its_process_tells_it():
    async def trial(supervisor, heard):
        await until(lambda: heard.live("yard"))

    heard = supervised(trial, yard="lost:gone lost:gone found")
    (lost,), (found,) = heard.of(CameraLost), heard.of(CameraFound)
    assert lost.why == "gone" and found.at >= lost.at


def test_a_camera_that_is_found_by_the_next_process_is_told(tmp_path):
    async def trial(supervisor, heard):
        await until(lambda: heard.of(CameraFound))

    heard = supervised(trial, yard=f"lost:gone die-first:{tmp_path / 'died'} found")
    assert [m.why for m in heard.of(CameraLost)] == ["gone"]
    assert len(heard.of(CameraFound)) == 1


def test_other_settings_touch_only_the_cameras_that_they_change():
    async def trial(supervisor, heard):
        await until(lambda: heard.live("yard") and heard.live("door") and heard.live("gate"))
        pids = {name: kept.pid for name, kept in supervisor.cameras.items()}
        changed = await supervisor.change(cameras(yard="", door="event:new", roof=""))
        assert set(changed) == {"door", "gate", "roof"}
        await until(lambda: heard.live("roof") and heard.of(EventClosed))
        assert set(supervisor.cameras) == {"yard", "door", "roof"}
        assert supervisor.cameras["yard"].pid == pids["yard"]
        assert supervisor.cameras["door"].pid != pids["door"]

    heard = supervised(trial, yard="", door="", gate="")
    assert not heard.of(CameraLost)


def test_cameras_processes_learn_nothing_of_those_who_are_told():
    async def trial(supervisor, heard):
        await until(lambda: heard.of(Note))

    watch = msgspec.structs.replace(
        cameras(yard="secrets"), tell=Tell(webhook=(Webhook(url="http://x", secret="s3cret"),))
    )
    (note,) = supervised(trial, watch=watch).of(Note)
    assert "webhook=()" in note.text and "s3cret" not in note.text


def test_what_all_are_told_those_hear_too_that_begin_later(tmp_path):
    async def trial(supervisor, heard):
        await until(lambda: heard.of(Note, "door"))
        await until(lambda: heard.of(CameraFound, "yard"))

    async def run():
        audience, heard = Audience(Clock()), Heard()
        audience.add(heard, statuses=True, room=100_000)
        watch = cameras(yard=f"die-first:{tmp_path / 'died'}", door="")
        supervisor = Supervisor(watch, audience, pace=QUICK, program=PROGRAM)
        supervisor.order(Hold(why="no room"))
        supervisor.start()
        try:
            await asyncio.wait_for(trial(supervisor, heard), 2 * PATIENCE)
        finally:
            await supervisor.stop()
            await audience.close(PATIENCE)
        return heard

    heard = asyncio.run(run())
    for name in ("yard", "door"):
        assert f"told: {Hold(why='no room')}" in [note.text for note in heard.of(Note, name)]


def test_a_process_that_cannot_be_started_is_tried_again(monkeypatch):
    import bgsub.live.supervising.keeping_up as module

    tries = []

    def refuse(*given):
        tries.append(given)
        if len(tries) < 3:
            raise OSError(12, "Cannot allocate memory")
        return start(*given)

    start = module.CameraProcess
    monkeypatch.setattr(module, "CameraProcess", refuse)

    async def trial(supervisor, heard):
        await until(lambda: heard.live("yard"))

    (lost,) = supervised(trial, yard="").of(CameraLost)
    assert lost.why == "its process could not be started: Cannot allocate memory; started again in 0.1 s"


def test_a_slow_or_failing_listener_holds_nobody_up(caplog):
    class Slow(Heard):
        async def take(self, message):
            await asyncio.Event().wait()

    class Failing(Heard):
        async def take(self, message):
            raise OSError("no  route\nto host")

    async def run():
        audience, good = Audience(Clock()), Heard("good")
        audience.add(Slow("slow"), room=5)
        audience.add(Failing("failing"), room=1000)
        audience.add(good, room=1000)
        for n in range(100):
            audience.tell(Note(camera="yard", at=Clock().now(), level=20, text=str(n)))
            audience.tell(Status(camera="yard", at=Clock().now(), state="live", since=Clock().now()))
            await asyncio.sleep(0)
        await until(lambda: len(good.messages) == 100)
        assert audience.lost == {"slow": 94, "failing": 100, "good": 0}
        await audience.remove("slow")
        await audience.close(5.0)

    with caplog.at_level(logging.WARNING, logger="bgsub"):
        asyncio.run(asyncio.wait_for(run(), PATIENCE))
    assert [record.getMessage() for record in caplog.records] == [
        "failing failed: OSError: no route to host",  # and not a hundred times
        "slow is too slow: 1 messages did not reach it",
    ]


ORPHANS = """
import asyncio, os, sys
from bgsub.live.supervising.audience import Audience
from bgsub.live.clock import Clock
from bgsub.live.settings import Camera, Watch
from bgsub.live.supervising.supervisor import Supervisor

async def main():
    watch = Watch(cameras=(Camera(name="yard", source=""), Camera(name="door", source="")))
    supervisor = Supervisor(watch, Audience(Clock()), program="tests.live.acting:act")
    supervisor.start()
    while not all(kept.status is not None for kept in supervisor.cameras.values()):
        await asyncio.sleep(0.02)
    print(*(kept.pid for kept in supervisor.cameras.values()), flush=True)
    await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_when_the_supervisor_is_killed_its_processes_end_in_order(tmp_path):
    (tmp_path / "program.py").write_text(ORPHANS)
    variables = {**os.environ, "ACTING_ENDS": str(tmp_path / "ends"), "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, tmp_path / "program.py"], stdout=subprocess.PIPE, text=True, env=variables
    ) as program:
        pids = [int(word) for word in program.stdout.readline().split()]
        program.kill()
    deadline = time.monotonic() + PATIENCE
    while any(runs(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert sorted((tmp_path / "ends").read_text().split()) == ["door", "yard"]


def runs(pid):
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    told = Path(f"/proc/{pid}/stat").read_text()  # one that nobody waits for is dead all the same
    return told.rpartition(")")[2].split()[0] != "Z"
