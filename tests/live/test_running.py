"""A whole watch on cameras that act: begun, read anew, and ended by signals; two on one folder."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from bgsub.errors import OutputError
from bgsub.live.archive.index import INDEX
from bgsub.live.archive.index_questions import IndexReader
from bgsub.live.locking import locked
from bgsub.live.settings import Camera, Watch
from bgsub.live.supervising.running import with_places

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="processes are told by signals"),
    pytest.mark.slow,
]

PATIENCE = 60.0
FILE = """
listen = "127.0.0.1:0"
directory = "recordings"
state = "state"
{top}
[[cameras]]
name = "yard"
source = "rtsp://x/ {yard}"
[[cameras]]
name = "door"
source = "rtsp://x/ {door}"
"""


class Program:
    """A watch that runs, and what it has printed."""

    def __init__(self, folder, **variables):
        self.file, self.printed = folder / "cameras.toml", folder / "printed"
        self.variables = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}

    def write(self, top="", yard="", door=""):
        self.file.write_text(FILE.format(top=top, yard=yard, door=door))

    def start(self):
        command = [sys.executable, "-m", "tests.live.run_acting", self.file]
        with self.printed.open("wb") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, env=self.variables, start_new_session=True
            )
        return self

    @property
    def text(self):
        return self.printed.read_text()

    def until(self, *words):
        deadline = time.monotonic() + PATIENCE
        while not all(word in self.text for word in words):
            assert time.monotonic() < deadline, self.text
            assert self.process.poll() is None, self.text
            time.sleep(0.02)

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def health(self):
        address = next(word for word in self.text.split() if word.endswith("/health"))
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@pytest.fixture
def program(tmp_path):
    program = Program(tmp_path)
    yield program
    if hasattr(program, "process") and program.process.poll() is None:
        os.killpg(program.process.pid, signal.SIGKILL)
        program.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_watch_runs_until_a_signal_ends_it_in_order(program, tmp_path, number):
    program.variables["ACTING_ENDS"] = str(tmp_path / "ends")
    program.write(yard="event:1", door="event:2")
    program.start().until("yard  motion", "door  motion")
    status, report = program.health()
    assert (status, set(report["cameras"])) == (200, {"yard", "door"})
    assert program.end(number) == 128 + number
    assert sorted((tmp_path / "ends").read_text().split()) == ["door", "yard"]
    assert "Traceback" not in program.text


def test_the_file_is_read_again_and_a_wrong_one_changes_nothing(program):
    program.write(door="event:1")
    program.start().until("door  motion")
    program.write(yard="event:new", door="event:1")
    program.process.send_signal(signal.SIGHUP)
    program.until("the configuration was read again: yard\n", "yard  motion")
    program.write(top="fsinc = true")
    program.process.send_signal(signal.SIGHUP)
    program.until("there is no key 'fsinc' here; is it fsync?; all goes on with the settings before")
    program.write(top="fsync = false\n", yard="event:new", door="event:1")
    program.process.send_signal(signal.SIGHUP)
    program.until("a change of fsync takes a restart of bgsub watch", "read again: no camera has changed")
    assert program.health()[0] == 200
    assert program.text.count("door  motion") == 1
    assert program.end() == 128 + signal.SIGTERM


def test_what_a_privacy_zone_costs_is_told_at_the_start(program):
    zone = "zones = [{ name = 'window', kind = 'privacy', polygon = [[0, 0], [1, 0], [1, 1]] }]"
    program.write(door="event:1")
    program.file.write_text(program.file.read_text() + zone + "\n")
    program.start().until("door  motion")
    assert "door has a privacy zone: what is recorded of it is decoded and encoded anew, which takes" in program.text
    assert "yard has" not in program.text
    assert program.end() == 128 + signal.SIGTERM


def test_a_camera_that_died_makes_health_say_so(program):
    program.write(yard="die:3", door="event:1")
    program.start().until("yard  lost: its process ended with status 3", "door  motion")
    status, report = program.health()
    assert (status, report["well"], list(report["wrong"])) == (503, False, ["camera yard"])
    assert "its process ended with status 3" in report["wrong"]["camera yard"]


def test_a_second_signal_hurries(program):
    program.write(yard="deaf event:1")
    program.start().until("yard  motion")
    program.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while program.process.poll() is None:  # without a second one it would take 5 s
        assert time.monotonic() < deadline
        program.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    # The last of them may come when all is over and nobody listens any more.
    assert program.process.returncode in (128 + signal.SIGTERM, -signal.SIGTERM)


def test_two_watches_do_not_share_a_folder_and_a_killed_one_leaves_it_free(program, tmp_path):
    program.write(door="event:1")
    program.start().until("door  motion")
    second = subprocess.run(
        [sys.executable, "-m", "tests.live.run_acting", program.file],
        capture_output=True,
        text=True,
        env=program.variables,
        timeout=PATIENCE,
    )
    told = f"another bgsub watch (process {program.process.pid}) uses {tmp_path / 'state'}: end it, or choose"
    assert told in second.stderr
    assert program.end(signal.SIGKILL) == -signal.SIGKILL
    program.start().until("door  motion")
    assert program.end() == 128 + signal.SIGTERM


def test_the_index_knows_what_was_told_and_a_disk_without_room_is_told(program, tmp_path):
    program.write(top="retention = { min_free = '1000TB' }", door="event:1 lost:gone")
    program.start().until("door  motion", "recordings  trouble: cannot record in", "door  lost: gone")
    status, report = program.health()
    assert status == 503 and report["wrong"]["recordings"].endswith("make room, or set min_free lower")
    program.write(top="retention = { min_free = 1 }", door="event:1 lost:gone")
    program.process.send_signal(signal.SIGHUP)
    program.until("recordings  no trouble any more")
    assert program.end() == 128 + signal.SIGTERM
    with IndexReader.of(tmp_path / "state" / INDEX) as index:
        assert [record.id for record in index.events()] == ["door/1"]
        assert [outage.camera for outage in index.outages()] == ["door"]


def test_systemd_is_told(program, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        address = tmp_path / "notify"
        listening.bind(str(address))
        listening.settimeout(PATIENCE)
        program.variables["NOTIFY_SOCKET"] = str(address)
        program.write(door="event:1")
        program.start().until("door  motion")
        assert program.end() == 128 + signal.SIGTERM
        told = [listening.recv(1000).decode()]
        while told[-1] != "STOPPING=1":
            told.append(listening.recv(1000).decode())
    assert told[0] == "READY=1"
    assert all(one.startswith("WATCHDOG=1\nSTATUS=") for one in told[1:-1])


def test_a_lock_is_held_once_and_freed_at_the_end(tmp_path):
    def hold(folder):
        with locked(folder, "lock"):
            pass

    with locked(tmp_path, "lock"), pytest.raises(OutputError) as error:
        hold(tmp_path)
    assert str(error.value).startswith(f"another bgsub watch (process {os.getpid()}) uses {tmp_path}: ")
    hold(tmp_path)
    with pytest.raises(OutputError, match=r"^cannot write to .*no: No such file or directory; choose another"):
        hold(tmp_path / "no")


def test_each_folder_of_recordings_has_a_state_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    camera = Camera(name="yard", source="0")
    one, two = (with_places(Watch(cameras=(camera,), directory=name)) for name in ("a", "b"))
    assert Path(one.directory) == tmp_path / "a"
    assert one.state != two.state and one.state == with_places(one).state
    assert with_places(Watch(cameras=(camera,), state="s")).state == str(tmp_path / "s")
