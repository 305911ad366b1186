"""What commands write goes to a store, whole or not at all."""

import functools
import json
import tempfile
import types
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.jobs import staging
from bgsub.stores import stored_file
from bgsub.stores.store_paths import StorePath
from tests.cli.clips import read_video
from tests.motion.recordings import record
from tests.s3 import SECRET, served

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Two recordings; in the second nothing moves."""
    folder = tmp_path_factory.mktemp("night")
    record(folder / "cam1" / "gate.mkv", 100, [(40, 70)])
    record(folder / "cam2" / "still.mkv", 60)
    return folder


@pytest.fixture(scope="module")
def server():
    with served() as server:
        yield server


@pytest.fixture
def s3(server, tmp_path, monkeypatch):
    """The server with an empty bucket; what is staged lies in a folder of the test."""
    there = functools.partial(tempfile.mkdtemp, dir=tmp_path / "staged")
    monkeypatch.setattr(staging, "tempfile", types.SimpleNamespace(mkdtemp=there))
    (tmp_path / "staged").mkdir()
    if server.files.exists("cams"):
        server.files.rm("cams", recursive=True)
    server.files.makedirs("cams", exist_ok=True)
    server.files.invalidate_cache()
    return server


def names(s3):
    s3.files.invalidate_cache()
    return sorted(name.removeprefix("cams/") for name in s3.files.find("cams"))


def staged(tmp_path):
    return sorted(path.name for path in (tmp_path / "staged").rglob("*") if path.is_file())


def test_a_run_writes_what_it_writes_on_a_disk(s3, bgsub, recordings, workplace):
    video = recordings / "cam1" / "gate.mkv"
    outputs = ("m.mkv", "o.mp4", "b.png", "t.csv", "m.bgsub")
    options = ("--mask", "--overlay", "--background", "--stats", "--save-model")
    here = [word for pair in zip(options, outputs, strict=True) for word in pair]
    there = [word for option, name in zip(options, outputs, strict=True) for word in (option, f"s3://cams/out/{name}")]
    assert bgsub("run", video, "--method", "mog2", *here).code == 0
    outcome = bgsub("run", video, "--method", "mog2", *there, "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["outputs"] == [
        f"s3://cams/out/{name}" for name in ("m.mkv", "o.mp4", "t.csv", "b.png", "m.bgsub")
    ]
    assert names(s3) == [f"out/{name}" for name in sorted(outputs)]
    for name in outputs:
        s3.files.get(f"cams/out/{name}", f"got-{name}")
    assert all((a == b).all() for a, b in zip(read_video("got-m.mkv")[1], read_video("m.mkv")[1], strict=True))
    assert Path("got-t.csv").read_text() == Path("t.csv").read_text()
    assert Path("got-m.bgsub").read_bytes() == Path("m.bgsub").read_bytes()
    assert np.array_equal(cv2.imread("got-b.png"), cv2.imread("b.png"))
    assert staged(workplace) == []


def test_pictures_go_into_a_folder(s3, bgsub, recordings):
    video = recordings / "cam2" / "still.mkv"
    assert bgsub("run", video, "--method", "mog2", "--end", "0.2", "--mask", "s3://cams/bins/").code == 0
    assert names(s3) == [f"bins/bin{i:06}.png" for i in range(1, 6)]
    again = bgsub("run", video, "--method", "mog2", "--end", "0.2", "--mask", "s3://cams/bins/")
    assert again.error == "Error: s3://cams/bins exists; pass --overwrite or choose another name"


def test_what_exists_is_not_replaced_unless_told(s3, bgsub, recordings):
    s3.files.pipe("cams/m.mkv", b"dear")
    command = ("run", recordings / "cam2" / "still.mkv", "--method", "mog2", "--mask", "s3://cams/m.mkv")
    assert bgsub(*command).error == "Error: s3://cams/m.mkv exists; pass --overwrite or choose another name"
    assert s3.files.cat("cams/m.mkv") == b"dear"
    assert bgsub(*command, "--overwrite").code == 0
    assert s3.files.cat("cams/m.mkv") != b"dear"


@pytest.mark.parametrize(
    ("option", "name", "reason"),
    [
        ("--mask", "s3://no-bucket/m.mkv", "there is no s3://no-bucket; make it or choose another"),
        ("--mask", "s3://cams/m.xyz", "its extension is not one of"),
        ("--stats", "s3://cams/t.xls", "its extension is not one of"),
        ("--mask", "s3://k:word@cams/m.mkv", "its address holds a password"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_read(s3, bgsub, recordings, option, name, reason):
    outcome = bgsub("run", recordings / "cam2" / "still.mkv", option, name)
    assert outcome.code == 1
    assert reason in outcome.error
    assert "word@" not in outcome.error
    assert "staged" not in outcome.error
    assert names(s3) == []


def test_messages_name_what_was_asked_for(s3, bgsub, recordings):
    video = recordings / "cam2" / "still.mkv"
    outcome = bgsub("run", video, "--method", "mog2", "--end", "0.2", "--mask", "s3://cams/m.mp4")
    assert outcome.err == "s3://cams/m.mp4 is lossy: values blur around 0, 127 and 255; .mkv keeps them exact\n"


def test_two_outputs_of_one_name_are_refused(s3, bgsub, recordings):
    name = "s3://cams/m.mkv"
    outcome = bgsub("run", recordings / "cam2" / "still.mkv", "--mask", name, "--overlay", name)
    assert outcome.error == f"Error: two outputs are named {name}: give each a name of its own"


def test_a_run_that_breaks_off_leaves_nothing(s3, bgsub, recordings, monkeypatch, workplace):
    from bgsub.video.writers.encode import VideoFile

    def fail(self, *_):
        raise RuntimeError("the program itself fails")

    monkeypatch.setattr(VideoFile, "write", fail)
    with pytest.raises(RuntimeError):
        bgsub("run", recordings / "cam2" / "still.mkv", "--method", "mog2", "--mask", "s3://cams/m.mkv")
    assert names(s3) == []
    assert staged(workplace) == []


def test_what_a_store_does_not_take_stays_here(s3, bgsub, recordings, monkeypatch, workplace):
    monkeypatch.setattr("bgsub.jobs.staging.WAITS", (0.01,))

    def refuse(*_, **__):
        raise ConnectionError("no room")

    monkeypatch.setattr(StorePath, "put", refuse)
    outcome = bgsub("run", recordings / "cam2" / "still.mkv", "--method", "mog2", "--mask", "s3://cams/m.mkv")
    assert outcome.code == 1
    assert outcome.error.startswith("Error: cannot write s3://cams/m.mkv: no room; check")
    (kept,) = (workplace / "staged").rglob("m.mkv")
    assert str(kept.parent) in outcome.error
    assert len(read_video(kept)[0]) == 60


def test_many_inputs_go_on_where_they_ended(s3, bgsub, recordings):
    command = ("run", recordings, "--recursive", "--method", "mog2", "--mask", ".mkv", "--json")
    command = (*command, "--into", "s3://cams/out")
    first = [json.loads(line) for line in bgsub(*command).out.splitlines()]
    assert [(r["state"], r["outputs"]) for r in first] == [
        ("done", ["s3://cams/out/cam1/gate.mask.mkv"]),
        ("done", ["s3://cams/out/cam2/still.mask.mkv"]),
    ]
    assert names(s3) == ["out/bgsub.jsonl", "out/cam1/gate.mask.mkv", "out/cam2/still.mask.mkv"]
    s3.files.rm("cams/out/cam2/still.mask.mkv")
    assert [json.loads(line)["state"] for line in bgsub(*command).out.splitlines()] == ["skipped", "done"]
    other = bgsub(*command, "--n-components", "3")
    assert "s3://cams/out holds results of" in other.error


SCAN = ("--recursive", "--clips", "copy", "--thumbnails", "--heatmap", "--tracks", "--into", "s3://cams/found")


def test_a_scan_writes_its_results_and_goes_on(s3, bgsub, recordings, workplace):
    s3.files.put(str(recordings), "cams/night", recursive=True)
    report = ("--report", "s3://cams/found/all.html", "--report", "s3://cams/all.csv")
    outcome = bgsub("scan", "s3://cams/night", *SCAN, *report, "--jobs", "2")
    assert outcome.code == 0, outcome.err
    written = [name for name in names(s3) if not name.startswith("night/")]
    assert written == [
        "all.csv",
        "found/all.html",
        "found/bgsub-scan.jsonl",
        "found/cam1/gate.event-001.jpg",
        "found/cam1/gate.event-001.mkv",
        "found/cam1/gate.heat.png",
        "found/cam1/gate.scan.json",
        "found/cam1/gate.tracks.csv",
        "found/cam2/still.heat.png",
        "found/cam2/still.scan.json",
        "found/cam2/still.tracks.csv",
    ]
    assert 'href="cam1/gate.event-001.mkv"' in s3.files.cat("cams/found/all.html").decode()
    s3.files.get("cams/found/cam1/gate.event-001.mkv", "clip.mkv")
    assert len(read_video("clip.mkv")[0]) > 30
    again = json.loads(bgsub("scan", "s3://cams/night", *SCAN, "--json").out)
    assert [result["state"] for result in again] == ["skipped", "skipped"]
    assert again[0]["clips"][0]["file"] == "s3://cams/found/cam1/gate.event-001.mkv"
    told = "".join(s3.files.cat(f"cams/found/{name}").decode() for name in ("bgsub-scan.jsonl", "cam1/gate.scan.json"))
    assert SECRET not in told
    assert str(workplace) not in told
    assert staged(workplace) == []


def test_a_scan_that_was_killed_goes_on_from_its_additions(s3, bgsub, recordings, monkeypatch):
    from bgsub.jobs.ledger import StoredLedger

    command = ("scan", recordings, "--recursive", "--into", "s3://cams/found")
    monkeypatch.setattr(StoredLedger, "rewrite", lambda self, lines: None)  # as if it had been killed before its end
    assert bgsub(*command).code == 0
    monkeypatch.undo()
    assert [name for name in names(s3) if "jsonl" in name] != []
    assert "found/bgsub-scan.jsonl" not in names(s3)
    again = json.loads(bgsub(*command, "--json").out)
    assert [result["state"] for result in again] == ["skipped", "skipped"]
    assert [name for name in names(s3) if "jsonl" in name] == ["found/bgsub-scan.jsonl"]


def test_others_files_are_left_alone(s3, bgsub, recordings):
    s3.files.pipe("cams/found/cam1/gate.scan.json", b"dear")
    outcome = bgsub("scan", recordings / "cam1", "--into", "s3://cams/found/cam1")
    assert outcome.code == 1
    assert "s3://cams/found/cam1/gate.scan.json exists; pass --overwrite" in outcome.error
    assert s3.files.cat("cams/found/cam1/gate.scan.json") == b"dear"


def test_the_server_is_away_as_results_are_put(s3, bgsub, recordings, monkeypatch):
    monkeypatch.setattr("bgsub.jobs.staging.WAITS", ())
    monkeypatch.setattr(stored_file, "WAITS", ())
    from bgsub.motion.writing import Writing

    whole = Writing.write

    def write(self, *args):
        whole(self, *args)
        s3.stop()

    monkeypatch.setattr(Writing, "write", write)
    try:
        outcome = bgsub("scan", recordings / "cam1", "--into", "s3://cams/found")
    finally:
        s3.start()
    assert outcome.code == 1
    assert "cannot write s3://cams/found/" in outcome.error
    monkeypatch.undo()
    assert bgsub("scan", recordings / "cam1", "--into", "s3://cams/found").code == 0
    assert "found/gate.scan.json" in names(s3)
