"""Who would be told of a watch is told a test, from the shell."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bgsub.live.archive.index import INDEX
from bgsub.live.archive.index_questions import IndexReader
from tests.live.test_telling import server

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}

CAMERAS = """
[[cameras]]
name = "yard"
source = "0"

[tell]
command = [{python}, "-c", "import sys; sys.exit(sys.argv[1] != 'test')", "{{occasion}}"]
[[tell.webhook]]
url = "{address}/hook?token=hidden"
secret = "env:HOOK"
"""


def config(workplace, text):
    path = workplace / "cameras.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_each_is_told_a_test(bgsub, workplace, monkeypatch):
    monkeypatch.setenv("HOOK", "key")
    with server(204, 500) as (address, got):
        path = config(workplace, CAMERAS.format(python=json.dumps(sys.executable), address=address))
        told = bgsub("watch", "--config", path, "--test-tell")
        assert (told.code, told.out) == (0, "command: told\nwebhook: told\n")
        told = bgsub("watch", "--config", path, "--test-tell")
        assert told.code == 1
        assert told.out == f"command: told\nwebhook: {address}/hook answers 500: look there for why\n"
    assert "X-Bgsub-Signature" in got[0][1]
    assert sorted(found.name for found in workplace.iterdir()) == ["cameras.toml"]


def test_nobody_is_told_where_nobody_is_named(bgsub, workplace):
    told = bgsub("watch", "0", "--test-tell")
    assert (told.code, told.out) == (0, "nobody would be told: name somebody under [tell] in the file of cameras\n")


def test_a_wrong_command_is_told_before_anything_is_watched(bgsub, workplace):
    path = config(workplace, '[[cameras]]\nname = "yard"\nsource = "0"\n[tell]\ncommand = ["say", "{clup}"]\n')
    told = bgsub("watch", "--config", path)
    assert told.code == 2
    assert "tell, command: there is no {clup}; give one of occasion, camera, " in told.error


WATCHED = """
directory = "found"
state = "state"

[[cameras]]
name = "room"
source = "{room}"
loop = true

[[cameras]]
name = "gone"
source = "rtsp://127.0.0.1:9/cam"

[tell]
command = [{python}, "append.py", "{{occasion}}", "{{camera}}", "{{clip}}"]
webhook = [{{ url = "{address}" }}]
"""


@pytest.mark.slow
def test_a_watch_tells_events_and_lost_cameras_and_its_index_agrees(workplace):
    with server(200) as (address, got):
        (workplace / "append.py").write_text("import sys; print(*sys.argv[1:], file=open('told', 'a'))")
        room = ROOT / "sample_videos" / "room.mp4"
        config(workplace, WATCHED.format(python=json.dumps(sys.executable), address=address, room=room))
        command = [sys.executable, "-m", "bgsub", "watch", "--config", "cameras.toml", "--no-listen"]
        done = subprocess.run(
            [*command, "--duration", "6s"], capture_output=True, text=True, timeout=300, check=False, env=ENVIRONMENT
        )
    assert done.returncode == 0, done.stderr
    told = [json.loads(body) for _, _, body in got]
    occasions = {(one["occasion"], one["camera"]) for one in told}
    assert occasions >= {("camera_lost", "gone"), ("event_opened", "room"), ("event_closed", "room")}
    lines = (workplace / "told").read_text().splitlines()
    assert len(lines) == len(told)
    closed = [one["event"] for one in told if one["occasion"] == "event_closed"]
    assert f"event_closed room {workplace / 'found' / closed[0]['clip']}" in lines
    with IndexReader.of(workplace / "state" / INDEX) as index:
        kept = {event.id: event for event in index.events()}
        assert sorted(kept) == sorted(event["id"] for event in closed)
        assert all(kept[event["id"]].end is not None for event in closed)
        (outage,) = index.outages(camera="gone")
        assert outage.why.startswith("cannot open rtsp://127.0.0.1:9/cam")
