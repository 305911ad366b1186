"""Commands on videos that lie on a store: what they say, and that it is what they say of the same video on a disk."""

import json

import pytest

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
    import sys

    monkeypatch.setitem(sys.modules, "gcsfs", None)
    outcome = bgsub("info", "gs://bucket/x.mp4")
    assert (outcome.code, outcome.error) == (
        1,
        "Error: gs:// needs gcsfs, which is not installed; pip install gcsfs",
    )
