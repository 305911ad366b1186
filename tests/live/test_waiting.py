"""What waits to be told: kept through kills and damage, bounded, in order, without secrets; and never in the way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from bgsub.errors import SourceError
from bgsub.live.archive.index import INDEX
from bgsub.live.archive.index_questions import IndexReader
from bgsub.live.clock import Clock
from bgsub.live.health.state import Health
from bgsub.live.messages import CameraLost, EventClosed, Trouble
from bgsub.live.settings import Camera, Mqtt, Tell, Watch, Webhook
from bgsub.live.supervising.audience import Audience
from bgsub.live.supervising.running import Running
from bgsub.live.telling import waiting as module
from bgsub.live.telling.channels import listeners_of
from bgsub.live.telling.messengers import Messengers
from bgsub.live.telling.occasions import Occasion
from bgsub.live.telling.waiting import MOST, Waiting
from bgsub.live.telling.waiting_file import WAITING
from tests.live.recordings_made import NOW, SteppedClock
from tests.live.test_running import Program
from tests.live.test_telling import START, record, server

PATIENCE = 60.0


def occasion(number=0, **values):
    return Occasion(name="event_closed", at=START, camera="yard", event=record(objects=number, **values))


def numbers(line):
    return [one.occasion.event.objects for one in line]


def rows(folder):
    """Return what a file has, read as somebody else would."""
    with contextlib.closing(sqlite3.connect(f"file:{folder / WAITING}?mode=ro", uri=True)) as connection:
        return connection.execute("select channel, occasion from waiting order by number").fetchall()


async def opened(folder, clock=None):
    waiting = Waiting(folder / WAITING, clock or SteppedClock())
    await waiting.open()
    return waiting


async def until(holds):
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


def in_runs(*runs):
    """Run coroutines, each in an event loop of its own, as runs of a program are."""
    return [asyncio.run(asyncio.wait_for(run(), PATIENCE)) for run in runs]


# One after another


def test_what_waits_is_there_in_the_next_run_in_order_and_what_was_told_is_not(tmp_path):
    async def first():
        waiting = await opened(tmp_path)
        for k in range(5):
            waiting.line("a").put(occasion(k))
        waiting.line("b").put(occasion(7))
        waiting.line("a").hold(occasion(8))
        line = waiting.line("a")
        line.drop(line.first)
        await waiting.close()

    async def second():
        waiting = await opened(tmp_path)
        assert numbers(waiting.line("a")) == [1, 2, 3, 4, 8]
        assert numbers(waiting.line("b")) == [7]
        waiting.line("a").put(occasion(9))
        waiting.line("b").drop(waiting.line("b").first)
        await waiting.close()

    async def third():
        waiting = await opened(tmp_path)
        assert numbers(waiting.line("a")) == [1, 2, 3, 4, 8, 9]
        assert waiting.line("b").first is None
        await waiting.close()

    in_runs(first, second, third)
    assert (tmp_path / WAITING).stat().st_size < 100_000


def test_too_many_and_too_old_are_given_up_the_oldest_first_and_that_is_said_once(tmp_path, caplog):
    async def run():
        clock = SteppedClock()
        waiting = await opened(tmp_path, clock)
        line = waiting.line("a")
        line.name, line.keeps = "webhook", 3600.0
        for k in range(MOST + 5):
            line.put(occasion(k))
        assert (len(line), line.lost, numbers(line)[0]) == (MOST, 5, 5)
        clock.step(3000)
        line.put(occasion(1))
        clock.step(700)
        assert (line.first.occasion.event.objects, len(line), line.lost) == (1, 1, MOST + 5)
        await waiting.close()

    in_runs(run)
    told = [line for line in caplog.messages if "given up" in line]
    assert told == ["webhook: messages that wait for it are given up, the oldest first: more than 1000 wait"]
    assert len(rows(tmp_path)) == 1


@pytest.mark.parametrize(
    ("then", "now", "left"),
    [
        (NOW, NOW + timedelta(hours=1), [0]),
        (NOW, NOW + timedelta(hours=80), []),
        (datetime(1970, 1, 1, 0, 3, tzinfo=UTC), NOW, [0]),  # put by a machine without a battery, before it was set
        (NOW, datetime(1970, 1, 1, 0, 3, tzinfo=UTC), [0]),  # read by one
        (NOW, NOW - timedelta(days=900), [0]),
    ],
)
def test_what_is_too_old_at_the_start_is_given_up_unless_the_clock_was_not_set(tmp_path, then, now, left):
    async def put():
        waiting = await opened(tmp_path, SteppedClock(then))
        waiting.line("a").put(occasion())
        await waiting.close()

    async def read():
        waiting = await opened(tmp_path, SteppedClock(now))
        found = numbers(waiting.line("a"))
        await waiting.close()
        return found

    assert in_runs(put, read)[1] == left


def test_what_waits_for_somebody_who_is_no_longer_told_is_given_up_and_that_is_said(tmp_path, caplog):
    async def first():
        waiting = await opened(tmp_path)
        listeners_of(Tell(webhook=(Webhook(url="http://127.0.0.1:1/a"),)), tmp_path, (), waiting)[0].take(
            None, occasion()
        )
        await waiting.close()

    async def second():
        waiting = await opened(tmp_path)
        (one,) = listeners_of(Tell(webhook=(Webhook(url="http://127.0.0.1:1/b"),)), tmp_path, (), waiting)
        assert one.line.first is None
        await waiting.close()

    in_runs(first, second)
    assert [line for line in caplog.messages if line.endswith("is no longer told; what waited for it is given up: 1")]
    assert rows(tmp_path) == []


def test_addresses_alike_have_a_line_each(tmp_path):
    async def run():
        waiting = Waiting(None, SteppedClock())
        addresses = ("http://127.0.0.1:1/a?token=1", "http://127.0.0.1:1/a?token=2", "http://127.0.0.1:1/b")
        tell = Tell(webhook=tuple(Webhook(url=url) for url in addresses))
        listeners = listeners_of(tell, tmp_path, (), waiting)
        assert len({one.line.key for one in listeners}) == 3
        assert [one.name for one in listeners] == ["webhook 1", "webhook 2", "webhook 3"]

    in_runs(run)


# A file that is no use


def spoil_wholly(path):
    path.write_bytes(b"x" * 5000)


def spoil_inside(path):
    data = bytearray(path.read_bytes())
    data[1000:] = os.urandom(len(data) - 1000)
    path.write_bytes(data)


def from_the_future(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version=2")


def of_somebody_else(path):
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma application_id=7")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (spoil_wholly, "is damaged"),
        (spoil_inside, "is damaged"),
        (from_the_future, "is of another version (2)"),
        (of_somebody_else, "is of another program"),
    ],
)
def test_a_file_that_is_no_use_costs_what_waited_and_is_set_aside(tmp_path, caplog, spoil, why):
    async def put():
        waiting = await opened(tmp_path)
        waiting.line("a").put(occasion())
        await waiting.close()

    async def read():
        spoil(tmp_path / WAITING)
        waiting = await opened(tmp_path)
        assert waiting.trouble is None
        assert waiting.line("a").first is None
        waiting.line("a").put(occasion(3))
        await waiting.close()

    in_runs(put, read)
    (told,) = [line for line in caplog.messages if why in line]
    assert told.startswith(
        f"the file of what waits to be told {tmp_path / WAITING} {why}; it was moved to waiting.2026-"
    )
    assert told.endswith(", and what waited in it is not told")
    assert len(list(tmp_path.glob("waiting.2026-*Z.sqlite"))) == 1
    assert len(rows(tmp_path)) == 1


def test_rows_that_are_none_are_left_out(tmp_path, caplog):
    async def put():
        waiting = await opened(tmp_path)
        for k in range(6):
            waiting.line("a").put(occasion(k))
        waiting.line("a").remember("bgsub/yard/state")
        waiting.put_fact("trouble", "{}")
        await waiting.close()

    async def read():
        with contextlib.closing(sqlite3.connect(tmp_path / WAITING)) as connection:
            outside = json.loads(rows(tmp_path)[1][1])
            outside["event"]["thumbnail"] = "../../etc/passwd"
            for number, text in enumerate(["nonsense", json.dumps(outside), "[" * 100_000, "x" * 300_000], 1):
                connection.execute("update waiting set occasion = ? where number = ?", (text, number))
            connection.execute("update waiting set put = 'yesterday' where number = 5")
            connection.execute("insert into waiting values (?, x'00ff', '', '')", (2**62,))
            connection.execute("insert into topic values ('a', x'00ff'), (7, 8)")
            connection.execute("insert into fact values (x'00', x'00ff')")
            connection.commit()
        waiting = await opened(tmp_path)
        assert numbers(waiting.line("a")) == [5]
        assert waiting.line("a").topics == {"bgsub/yard/state"}
        assert waiting.facts == {"trouble": "{}"}
        await waiting.close()

    in_runs(put, read)
    assert f"{tmp_path / WAITING}: 4 messages that waited are none, and are left out" in caplog.messages
    assert len(rows(tmp_path)) == 1


def test_a_folder_that_cannot_be_written_is_told_and_all_goes_on_in_memory(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(module, "_AGAIN", 0.05)
    caplog.set_level(logging.INFO, "bgsub")
    state = tmp_path / "state"
    state.write_text("in the way")

    async def run():
        waiting = await opened(state)
        assert waiting.trouble.startswith(
            "what waits to be told is in memory alone: cannot open the file of what waits"
        )
        for k in range(3):
            waiting.line("a").put(occasion(k))
        assert numbers(waiting.line("a")) == [0, 1, 2]
        state.unlink()
        await until(lambda: waiting.trouble is None)
        await waiting.close()

    in_runs(run)
    assert len([line for line in caplog.messages if "in memory alone" in line]) == 1
    assert "what waits to be told is kept on the disk again" in caplog.messages
    assert len(rows(state)) == 3


def test_what_waited_before_comes_first_though_it_could_not_be_read_at_the_start(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_AGAIN", 0.05)

    async def put():
        waiting = await opened(tmp_path)
        for k in range(3):
            waiting.line("a").put(occasion(k))
        await waiting.close()

    async def read():
        (tmp_path / WAITING).rename(tmp_path / "elsewhere")
        (tmp_path / WAITING).mkdir()
        waiting = await opened(tmp_path)
        line = waiting.line("a")
        for k in range(3, 6):
            line.put(occasion(k))
        (tmp_path / WAITING).rmdir()
        (tmp_path / "elsewhere").rename(tmp_path / WAITING)
        await until(lambda: waiting.trouble is None)
        assert numbers(line) == [0, 1, 2, 3, 4, 5]
        line.drop(line.first)
        await waiting.close()

    in_runs(put, read)
    assert [json.loads(text)["event"]["objects"] for _, text in rows(tmp_path)] == [1, 2, 3, 4, 5]


FULL = """
import asyncio, resource, signal, sys
from pathlib import Path
from bgsub.live.telling import waiting as module
from tests.live.test_waiting import occasion, opened, until
async def run():
    module._AGAIN = 0.05
    waiting = await opened(Path(sys.argv[1]))
    line = waiting.line("a")
    line.put(occasion(1))
    await until(lambda: not waiting._changes)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))  # a disk without room
    for k in range(2, 20):
        line.put(occasion(k, error="x" * 900))
    await until(lambda: waiting.trouble is not None)
    print(waiting.trouble)
    assert len(line) == 19
    line.drop(line.first)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await until(lambda: waiting.trouble is None)
    await waiting.close()
asyncio.run(run())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of a file's size")
def test_a_full_disk_is_told_and_what_waited_meanwhile_is_written_when_there_is_room(tmp_path):
    program = [sys.executable, "-c", FULL, str(tmp_path)]
    ran = subprocess.run(program, capture_output=True, text=True, timeout=2 * PATIENCE)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("what waits to be told is in memory alone: cannot ")
    assert "\n" not in ran.stdout.strip()
    assert [json.loads(text)["event"]["objects"] for _, text in rows(tmp_path)] == list(range(2, 20))


def test_a_folder_that_does_not_answer_holds_nobody_up(tmp_path, monkeypatch, caplog):
    answers = threading.Event()
    opening = module.WaitingFile.open

    def slow(self):
        answers.wait(PATIENCE)
        return opening(self)

    monkeypatch.setattr(module.WaitingFile, "open", slow)
    monkeypatch.setattr(module, "_OPENING", 0.1)

    async def run():
        waiting = await opened(tmp_path)
        assert waiting.trouble == "the folder of the state does not answer; what waits to be told is in memory alone"
        waiting.line("a").put(occasion(1))
        answers.set()
        await until(lambda: waiting.trouble is None)
        await waiting.close()

    in_runs(run)
    assert len(rows(tmp_path)) == 1


# As a service of a watch


def running(folder, clock=None, **tell):
    watch = Watch(
        cameras=(Camera(name="yard", source="0"),),
        directory=str(folder),
        state=str(folder / "state"),
        tell=Tell(**tell),
    )
    clock = clock or Clock()
    return Running(watch, clock, Health(clock), Audience(clock), None, None)


def test_no_secret_is_in_the_file(tmp_path):
    addresses = tuple(f"http://me:hidden1@127.0.0.1:1/hidden2/{k}?token=hidden3" for k in range(2))

    async def run():
        webhooks = tuple(Webhook(url=url, secret="hidden4") for url in addresses)
        mqtt = Mqtt(host="127.0.0.1", port=1, username="hidden5", password="hidden6")
        people = ("json://hidden7:hidden8@127.0.0.1:1/hidden9",)
        messengers = Messengers([])
        await messengers.start(running(tmp_path, webhook=webhooks, mqtt=mqtt, apprise=people))
        await messengers.take(EventClosed(record()))
        await until(lambda: len(rows(tmp_path / "state")) == 4)
        for listener in messengers._listeners:
            listener._task.cancel()
        await messengers._waiting.close()

    pytest.importorskip("apprise")
    pytest.importorskip("aiomqtt")
    in_runs(run)
    for path in (tmp_path / "state").iterdir():
        assert b"hidden" not in path.read_bytes()
    assert len(rows(tmp_path / "state")) == 4


def test_trouble_that_ends_in_the_next_run_is_told_as_over(tmp_path):
    def run(why):
        async def live():
            messengers = Messengers([])
            one = running(tmp_path, webhook=(Webhook(url=address),))
            await messengers.start(one)
            one.audience.tell(Trouble(at=START, why=why))
            await one.audience.close(PATIENCE)
            await messengers.stop()

        return live

    with server(200) as (address, got):
        in_runs(run("full"), run("full still"), run(None), run(None))
    assert [json.loads(body)["why"] for _, _, body in got] == ["full", None]


@contextlib.contextmanager
def watching(folder, port, source=""):
    """Run a watch of a camera that acts, and kill it."""
    program = Program(folder)
    program.write(f"[[tell.webhook]]\nurl = 'http://127.0.0.1:{port}/'\nsecret = 'key'", yard=source)
    program.start()
    try:
        yield program
    finally:
        os.killpg(program.process.pid, signal.SIGKILL)
        program.process.wait()


def wait_until(holds, program):
    deadline = time.monotonic() + 2 * PATIENCE
    while not holds():
        assert time.monotonic() < deadline and program.process.poll() is None, program.text
        time.sleep(0.02)


def waiting_in(folder):
    """Return how many messages wait, of a watch that runs; a file that is not there yet has none."""
    with contextlib.suppress(sqlite3.Error):
        return len(rows(folder / "state"))
    return 0


def outages(folder):
    """Return when cameras were away, of a watch that runs; an index that is not there yet has none."""
    with contextlib.suppress(SourceError), IndexReader.of(folder / "state" / INDEX) as index:
        return index.outages()
    return []


@pytest.mark.slow
def test_what_a_killed_watch_could_not_tell_is_told_by_the_next_one_in_order_and_once(tmp_path):
    ids = [f"2026-11-27T10-00-0{k}.000Z" for k in range(6)]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with watching(tmp_path, port, " ".join(f"event:{name}" for name in ids)) as program:
        wait_until(lambda: waiting_in(tmp_path) == 6, program)  # nobody is there
    with server(200, port=port) as (_, got), watching(tmp_path, port) as program:
        wait_until(lambda: len(got) >= 6 and not waiting_in(tmp_path), program)
    assert [json.loads(body)["event"]["id"] for _, _, body in got] == [f"yard/{name}" for name in ids]
    assert len({headers["X-Bgsub-Delivery"] for _, headers, _ in got}) == 6


@pytest.mark.slow
def test_a_camera_that_was_lost_before_a_kill_is_told_as_found_by_the_next_run(tmp_path):
    with server(200) as (address, got):
        port = int(address.rpartition(":")[2])
        with watching(tmp_path, port, "lost:refused") as program:
            wait_until(lambda: got and outages(tmp_path), program)
        with watching(tmp_path, port, "lost:refused") as program:
            program.until("/health")
            wait_until(lambda: program.health()[1]["cameras"]["yard"]["state"] == "lost", program)
        with watching(tmp_path, port) as program:
            wait_until(lambda: b"camera_found" in got[-1][2] and outages(tmp_path)[0].end is not None, program)
    told = {body["delivery"]: body["occasion"] for body in (json.loads(body) for _, _, body in got)}  # each once
    assert list(told.values()) == ["camera_lost", "camera_found"]
    (outage,) = outages(tmp_path)
    assert outage.why == "refused"


def test_what_is_told_meanwhile_is_not_in_the_way_of_messages(tmp_path):
    async def run():
        waiting = await opened(tmp_path)
        line = waiting.line("a")
        write = module.WaitingFile.write

        def slow(self, *arguments):
            time.sleep(0.5)
            write(self, *arguments)

        module.WaitingFile.write = slow
        try:
            line.put(occasion(0))
            await asyncio.sleep(0)
            for k in range(1, 100):
                line.put(occasion(k))
                line.drop(line.first)
                await asyncio.sleep(0)
            assert numbers(line) == [99]
            assert len(waiting._changes) <= 2  # of what came and went nothing is written
        finally:
            module.WaitingFile.write = write
        await waiting.close()

    in_runs(run)
    assert len(rows(tmp_path)) == 1


def test_a_loss_waits_for_the_next_run_though_it_is_held_back(tmp_path):
    pytest.importorskip("apprise")

    def run(*messages):
        async def live():
            messengers = Messengers([])
            one = running(tmp_path, apprise=(address.replace("http", "json"),))
            await messengers.start(one)
            for message in messages:
                one.audience.tell(message)
            await one.audience.close(PATIENCE)
            if not messages:
                await until(lambda: got)
            await messengers.stop()

        return live

    with server(200) as (address, got), pytest.MonkeyPatch.context() as patch:
        asyncio.run(run(CameraLost(camera="yard", at=START, why="refused"))())
        assert got == []
        patch.setattr("bgsub.live.telling.people.PeopleChannel.grace", 0.2)
        asyncio.run(run()())
    assert [json.loads(body)["title"] for _, _, body in got] == ["yard is lost"]
