"""`bgsub watch` as it is typed: what is checked before anything is watched, and a watch with its processes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STREET = ROOT / "sample_videos" / "street.mp4"
PATIENCE = 240.0

CAMERAS = """
directory = "kept"
state = "state"
listen = "127.0.0.1:0"

[retention]
max_age = "30d"
max_size = "20GB"

[tell]
command = ["true"]
webhook = [{ url = "https://u:s3cret@example.com/x?token=s3cret" }]

[[cameras]]
name = "yard"
source = "rtsp://admin:s3cret@yard.local/main?x=s3cret"
detect = "rtsp://admin:s3cret@yard.local/sub"
schedule = ["mon-fri 18:00-06:00"]

[[cameras.zones]]
name = "window"
polygon = [[0, 0], [1, 0], [1, 1]]
kind = "privacy"

[[cameras]]
name = "door"
source = 0
"""


def test_what_would_be_watched_is_said_without_secrets(bgsub, workplace):
    (workplace / "cameras.toml").write_text(CAMERAS)
    (workplace / "cameras.toml").chmod(0o600)
    outcome = bgsub("watch", "--config", "cameras.toml", "--check", "--into", "found")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[:2] == [
        "yard: rtsp://yard.local/main; looks at rtsp://yard.local/sub; records events; zones window (privacy); "
        "when mon-fri 18:00-06:00; encoded anew: it has a privacy zone",
        "door: 0; records events",
    ]
    for line in (
        f"recordings: {workplace / 'found'}; kept for 30 days, at most 20 GB, 2.15 GB stay free",
        f"index and models: {workplace / 'state'}",
        "told: command true, webhook https://example.com/x",
        "health and metrics: 127.0.0.1:0",
    ):
        assert line in outcome.out.splitlines()
    told = json.loads(bgsub("watch", "--config", "cameras.toml", "--check", "--json").out)
    assert [camera["name"] for camera in told["cameras"]] == ["yard", "door"]
    assert told["retention"]["max_size"] == 20 * 10**9
    assert "s3cret" not in outcome.out + json.dumps(told)


@pytest.mark.skipif(os.name == "nt", reason="there a file's mode says nothing of who may read it")
def test_secrets_that_others_can_read_are_told(bgsub, workplace):
    (workplace / "cameras.toml").write_text(CAMERAS)
    (workplace / "cameras.toml").chmod(0o644)
    outcome = bgsub("watch", "--config", "cameras.toml", "--check")
    assert "holds passwords, and others can read it: chmod 600 cameras.toml, or write env:NAME" in outcome.err


def test_cameras_that_are_typed_are_named_after_what_they_are(bgsub, workplace):
    outcome = bgsub("watch", "0", "rtsp://u:s3cret@yard.local/x", "http://yard.local/y", "--check", "--max-size", "1GB")
    names = [line.partition(":")[0] for line in outcome.out.splitlines()[:3]]
    assert (outcome.code, names) == (0, ["camera-0", "yard-local", "yard-local-2"])
    assert "s3cret" not in outcome.out and "at most 1 GB" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ([], 2, "Missing argument 'SOURCE...': give a camera, or --config with a file of cameras."),
        (["no.mp4", "--loop"], 1, "cannot open no.mp4: no such file or folder; check the path"),
        ([STREET], 2, 'camera "street": street.mp4 is a recording: give loop to play it as a camera would'),
        (["0", "--before", "soon"], 2, "Invalid value for '--before': 'soon' is no time: write seconds (90)"),
        (["0", "--before", "10min"], 2, 'camera "camera-0", before: give a number <= 300.0'),
        (["0", "--max-size", "much"], 2, "Invalid value for '--max-size': 'much' is no size: write bytes"),
        (["0", "--schedule", "sometimes"], 2, 'camera "camera-0": '),
        (["0", "--draw", "hats"], 2, "Invalid value for '--draw': 'hats' is not drawn; there are boxes, mask"),
        (["0", "--listen", "here"], 2, "listen: 'here' is no address: write 127.0.0.1:8099"),
        (["0", "--listen", ":1", "--no-listen"], 2, "--listen and --no-listen contradict each other"),
        (["0", "1", "--detect", "2"], 2, "--detect is the small stream of one camera"),
        (["0", "--output", "x"], 2, "No such option '--output': --into names the folder of recordings"),
        (["0", "--zone", "x"], 2, "No such option '--zone': zones stand in a file: --config cameras.toml"),
        (["--config", "no.toml"], 2, "cannot read no.toml: No such file or directory; check the path"),
        (["--print-unit"], 2, "a unit runs a file of cameras: give --print-unit --config FILE"),
        (["0", "--loop"], 2, 'camera "camera-0": loop is for files, and its source is none: leave it out'),
    ],
)
def test_what_does_not_do_is_told_in_a_line(bgsub, workplace, arguments, code, told):
    outcome = bgsub("watch", *arguments)
    assert outcome.code == code
    assert outcome.error.startswith(f"Error: {told}")
    assert outcome.out == ""


def test_what_is_looped_are_the_files_among_the_sources(bgsub, workplace):
    outcome = bgsub("watch", STREET, "rtsp://camera/main", "0", "--loop", "--check", "--json")
    assert outcome.code == 0
    looped = {camera["name"]: camera["loop"] for camera in json.loads(outcome.out)["cameras"]}
    assert looped == {"street": True, "camera": False, "camera-0": False}


def test_cameras_are_said_in_one_place(bgsub, workplace):
    (workplace / "cameras.toml").write_text(CAMERAS)
    for arguments, what in ((["0"], "sources"), (["--before", "3s"], "--before"), (["--no-audio"], "--audio")):
        told = bgsub("watch", "--config", "cameras.toml", *arguments).error
        assert told == f"Error: cameras and what is said of them stand in cameras.toml: leave out {what}"


def test_the_unit_for_systemd_runs_this_program_on_this_file(bgsub, workplace):
    outcome = bgsub("watch", "--config", "my cameras.toml", "--print-unit")
    assert outcome.code == 0
    told = (
        f"ExecStart={sys.executable} -m bgsub watch --config '{workplace / 'my cameras.toml'}' --state /var/lib/bgsub"
    )
    assert told in outcome.out.splitlines()
    assert "Type=notify" in outcome.out and "ExecReload=/bin/kill -HUP $MAINPID" in outcome.out


# ------------------------------------------------------------------------------------------------------ with processes


class Program:
    """A watch that runs, and what it has said."""

    def __init__(self, folder, *arguments):
        self.folder = folder
        command = [sys.executable, "-m", "bgsub", "watch", *map(str, arguments)]
        variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self.out, self.err = folder / "out", folder / "err"
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=err, env=variables, cwd=folder, start_new_session=True
            )

    @property
    def said(self):
        return self.out.read_text() + self.err.read_text()

    def until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < deadline, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.05)
        return found

    def messages(self, kind):
        """What it has told as JSON so far."""
        told = [json.loads(line) for line in self.out.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return [one for one in told if one["type"] == kind]

    def address(self):
        found = self.until(lambda: re.search(r"(http://[\d.:]+)/health", self.err.read_text()))
        return found[1]

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def watch(workplace):
    """Starts a watch; it is killed at the end, if it runs still."""
    started = []

    def start(*arguments):
        started.append(Program(workplace, *arguments))
        return started[-1]

    yield start
    for program in started:
        if program.process.poll() is None:
            os.killpg(program.process.pid, signal.SIGKILL)
            program.process.wait()


COMMON = ("--loop", "--into", "found", "--state", "state", "--listen", "127.0.0.1:0", "--min-free", "1MB", "--json")
with_processes = pytest.mark.skipif(sys.platform == "win32", reason="processes are told by signals")


def children(pid):
    """The camera processes of a watch."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            is_child = int(stat.read_text().rpartition(")")[2].split()[1]) == pid
            if is_child and b"spawn_main" in (stat.parent / "cmdline").read_bytes():
                found.append(int(stat.parent.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


@with_processes
@pytest.mark.slow
def test_events_and_the_log_are_json_and_a_killed_camera_goes_on(watch, workplace):
    program = watch(STREET, *COMMON)
    address = program.address()
    first = program.until(lambda: program.messages("EventOpened"))[0]["record"]
    assert first["camera"] == "street" and first["end"] is None
    clip = workplace / "found" / first["clip"]
    program.until(lambda: clip.exists() and clip.stat().st_size > 100_000)
    (camera,) = children(program.process.pid)
    os.kill(camera, signal.SIGKILL)
    program.until(lambda: program.messages("CameraFound"))
    (lost,) = program.messages("CameraLost")
    assert lost["why"] == "its process was killed by SIGKILL; started again in 1 s"
    closed = program.until(lambda: program.messages("EventClosed"))[0]["record"]
    assert closed["id"] == first["id"] and closed["error"] == "the program ended during it"
    assert json.loads(clip.with_suffix(".json").read_text())["error"] == "the program ended during it"
    program.until(lambda: len(program.messages("EventOpened")) == 2)
    with urllib.request.urlopen(f"{address}/metrics", timeout=60) as answer:
        assert b'bgsub_camera_restarts_total{camera="street"} 1.0' in answer.read()
    assert program.end(signal.SIGINT) == 130
    records = [json.loads(path.read_text()) for path in (workplace / "found").rglob("*.json")]
    assert len({record["id"] for record in records}) == len(records) == 2
    assert all(record["end"] for record in records)
    for line in program.err.read_text().splitlines():
        told = json.loads(line)
        assert {"time", "level", "logger", "message"} <= set(told) and told["time"].endswith("Z")


@with_processes
@pytest.mark.slow
def test_a_watch_that_was_killed_is_gone_on_with_and_two_are_refused(watch, workplace):
    program = watch(STREET, *COMMON)
    first = program.until(lambda: program.messages("EventOpened"))[0]["record"]
    second = watch(STREET, *COMMON[:-1])
    assert second.process.wait(PATIENCE) == 1
    assert f"Error: another bgsub watch (process {program.process.pid}) uses {workplace / 'state'}" in second.said
    cameras = children(program.process.pid)
    program.end(signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in cameras):
        assert time.monotonic() < deadline, "a camera's process outlives its parent"
        time.sleep(0.05)
    again = watch(STREET, *COMMON)
    again.until(lambda: [one for one in again.messages("EventOpened") if one["record"]["id"] != first["id"]])
    assert again.end() == 143
    records = [json.loads(path.read_text()) for path in (workplace / "found").rglob("*.json")]
    assert all(record["end"] for record in records)
    assert len({record["id"] for record in records}) == len(records)


@with_processes
def test_a_port_that_is_taken_ends_it_at_once(watch):
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        program = watch(STREET, "--loop", "--state", "state", "--listen", address)
        assert program.process.wait(PATIENCE) == 1
    told = f"Error: cannot listen on {address}: "
    (line,) = [line for line in program.said.splitlines() if line.startswith("Error: ")]
    assert line.startswith(told) and line.endswith("; choose another port with --listen, or 0 for a free one")
