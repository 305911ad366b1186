"""Commands on videos that lie on a store: what they say, and that it is what they say of the same video on a disk."""

import json
import sys
from pathlib import Path

import pytest

from bgsub.stores import stored_file
from tests.cli.clips import read_video
from tests.motion.recordings import record
from tests.s3 import SECRET, served

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """A server with a folder of two recordings; in the second nothing moves."""
    folder = tmp_path_factory.mktemp("night")
    record(folder / "cam1" / "gate.mkv", 100, [(40, 70)])
    record(folder / "cam2" / "still.mkv", 60)
    with served() as server:
        server.files.put(str(folder), "cams/night", recursive=True)
        server.folder = folder
        yield server


def test_info(s3, bgsub):
    here = bgsub("info", s3.folder / "cam1" / "gate.mkv", "--json")
    there = bgsub("info", "s3://cams/night/cam1/gate.mkv", "--json")
    assert (there.code, there.err) == (0, "")
    assert json.loads(there.out) == json.loads(here.out)


def test_run(s3, bgsub):
    assert bgsub("run", "s3://cams/night/cam1/gate.mkv", "--method", "mog2", "--mask", "there.mkv").code == 0
    assert bgsub("run", s3.folder / "cam1" / "gate.mkv", "--method", "mog2", "--mask", "here.mkv").code == 0
    there, here = read_video("there.mkv"), read_video("here.mkv")
    assert there[0] == here[0]
    assert all((a == b).all() for a, b in zip(there[1], here[1], strict=True))


def test_scan_of_a_folder(s3, bgsub):
    here = bgsub("scan", s3.folder, "--recursive", "--json", "--jobs", "2")
    there = bgsub("scan", "s3://cams/night", "--recursive", "--json", "--jobs", "2")
    assert (there.code, here.code) == (0, 0)

    def found(outcome):
        return [result["events"] for result in json.loads(outcome.out)]

    assert found(there) == found(here)
    assert [len(events) for events in found(there)] == [1, 0]


def test_a_scan_goes_on_where_it_ended(s3, bgsub):
    assert bgsub("scan", "s3://cams/night/cam1", "--into", "found").code == 0
    again = bgsub("scan", "s3://cams/night/cam1", "--into", "found", "--json")
    assert json.loads(again.out)["state"] == "skipped"


def test_what_is_not_there_is_one_line(s3, bgsub):
    assert bgsub("info", "s3://cams/none.mkv").error == (
        "Error: cannot open s3://cams/none.mkv: no such file or folder; check the path"
    )
    assert "s3://cams/night: its videos or images are in folders below; add --recursive" in (
        bgsub("scan", "s3://cams/night").err
    )


def test_what_fails_is_told_without_secrets(s3, bgsub):
    s3.stop()
    try:
        outcome = bgsub("scan", "s3://cams/night/cam1", "--into", "out")
    finally:
        s3.start()
    assert outcome.code == 1
    assert outcome.error.startswith("Error: cannot look into s3://cams/night/cam1: Could not connect")
    told = (
        outcome.out
        + outcome.err
        + "".join(path.read_text() for path in __import__("pathlib").Path("out").glob("*.jsonl"))
    )
    assert SECRET not in told


def test_a_store_without_its_library_is_said(bgsub, monkeypatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    outcome = bgsub("info", "gs://bucket/x.mp4")
    assert (outcome.code, outcome.error) == (
        1,
        "Error: gs:// needs gcsfs, which is not installed; pip install gcsfs",
    )


def test_pieces_and_frames_are_read_from_a_store(s3, bgsub):
    here = bgsub("scan", s3.folder / "cam1" / "gate.mkv", "--json")
    there = bgsub("scan", "s3://cams/night/cam1/gate.mkv", "--json", "--pieces", "2s", "--jobs", "2")
    one, other = (json.loads(outcome.out) for outcome in (here, there))
    assert [(e["start"], e["end"]) for e in one["events"]] == [(e["start"], e["end"]) for e in other["events"]]
    here = bgsub("cluster", "frames", s3.folder / "cam1" / "gate.mkv", "--json", "--output", "here.csv")
    there = bgsub("cluster", "frames", "s3://cams/night/cam1/gate.mkv", "--json", "--output", "there.csv")
    assert (there.code, here.code, there.err) == (0, 0, "")
    assert Path("there.csv").read_text() == Path("here.csv").read_text()


def test_a_scan_whose_store_goes_away_keeps_what_was_found_and_goes_on(bgsub, monkeypatch, tmp_path):
    import fsspec

    memory = fsspec.filesystem("memory")
    monkeypatch.setattr(stored_file, "WAITS", (0.01,))
    monkeypatch.setattr("bgsub.video.readers.demuxing.WINDOW", 1 << 16)
    memory.put(str(record(tmp_path / "gate.mkv", 500, [(40, 70)])), "/yard/gate.mkv")
    whole, reads = type(memory).cat_file, []

    def cat_file(self, *args, **keywords):
        reads.append(0)
        if len(reads) > 60:
            raise ConnectionError("no answer from https://me:word@host/?sign=secret")
        return whole(self, *args, **keywords)

    with monkeypatch.context() as patch:
        patch.setattr(type(memory), "cat_file", cat_file)
        outcome = bgsub("scan", "memory://yard", "--into", "found", "--jobs", "1")
    assert outcome.code == 1
    assert "memory://yard/gate.mkv broke off after" in outcome.error
    assert "no answer from https://host/; check the address" in outcome.error
    manifest = Path("found/bgsub-scan.jsonl").read_text()
    assert '"failed"' in manifest
    assert "word" not in manifest + outcome.err + outcome.out
    assert "sign" not in manifest + outcome.err + outcome.out
    again = json.loads(bgsub("scan", "memory://yard", "--into", "found", "--jobs", "1", "--json").out)
    assert (again["state"], len(again["events"]), again["error"]) == ("done", 1, None)
    memory.rm("/yard", recursive=True)


def test_a_store_that_no_other_process_sees_is_scanned_here(s3, bgsub):
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.put(str(s3.folder), "/night", recursive=True)
    command = ("scan", "memory://night", "--recursive", "--jobs", "2", "--into", "memory://found", "--json")
    first = json.loads(bgsub(*command).out)
    assert [(result["state"], len(result["events"])) for result in first] == [("done", 1), ("done", 0)]
    assert [result["state"] for result in json.loads(bgsub(*command).out)] == ["skipped", "skipped"]
    memory.rm("/night", recursive=True)
    memory.rm("/found", recursive=True)
