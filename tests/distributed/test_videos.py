"""Scans and runs of many videos on a cluster: the same results and lists as here, whatever dies in between."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import dask
import pytest
from distributed import Client

from bgsub import open_source
from bgsub.distributed import seeing, videos
from bgsub.distributed.seeing import check_sight
from bgsub.distributed.videos import Videos
from bgsub.errors import ClusterError, OutputError
from bgsub.jobs import Job, ModelChoice, Outputs
from bgsub.jobs.batch import execute_all
from bgsub.jobs.inputs import Input, find_inputs
from bgsub.motion.folder import scan_all
from bgsub.motion.job import ScanJob
from bgsub.motion.outputs import ScanOutputs
from bgsub.motion.zones import Zone
from tests.distributed import errands as work
from tests.motion.recordings import record

pytestmark = pytest.mark.slow

SCAN = ScanJob("", model=ModelChoice("mog2"))
MASKS = Job("", model=ModelChoice("mog2"), outputs=Outputs(mask=".mkv", stats=".csv"))


@pytest.fixture
def recordings(tmp_path, monkeypatch):
    """Recordings of two cameras, one damaged, in a folder where no worker started."""
    monkeypatch.chdir(tmp_path)
    record("rec/cam1/a.mkv", 60, [(20, 45)])
    record("rec/cam1/b.mkv", 40)
    record("rec/cam2/a.mkv", 50, [(10, 30)], seed=1)
    Path("rec/cam2/damaged.mp4").write_bytes(b"no video at all")
    return tmp_path


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        yield client


def scan(folder, job=SCAN, outputs=ScanOutputs(), names=("rec",), **settings):  # noqa: B008
    inputs = find_inputs(names, recursive=True).each
    found = scan_all(inputs, job, outputs, folder and Path(folder), **settings)
    return {outcome.task.input.shown: outcome for outcome in found}


def run(folder, names=("rec",), job=MASKS, **settings):
    inputs = find_inputs(names, recursive=True).each
    return {result.task.input.shown: result for result in execute_all(inputs, job, Path(folder), **settings)}


def states(found):
    return {name.removeprefix("rec/"): outcome.state for name, outcome in found.items()}


def listed(path):
    """What a list of what is done says, without times and messages."""
    lines = [json.loads(line) for line in Path(path).read_text().splitlines()]
    return {line["input"]: {**line, "error": bool(line["error"])} for line in lines}


def contents(folder):
    """Files of a folder; of results and tables without how long it took, and by which name the source was called."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix == ".jsonl" or path.is_dir():
            continue
        found[path.relative_to(folder).as_posix()] = path.read_bytes()
        if path.suffix == ".mkv":  # each has a number of its own
            with open_source(path) as source:
                found[path.relative_to(folder).as_posix()] = b"".join(frame.image.tobytes() for frame in source)
        if path.suffix == ".json":
            result = json.loads(path.read_text())
            scanned = result.get("scan", result)
            text = json.dumps({**scanned, "tally": None, "facts": None, "source": None})
            found[path.relative_to(folder).as_posix()] = text.encode()
    return found


ALL_DONE = {"cam1/a.mkv": "done", "cam1/b.mkv": "done", "cam2/a.mkv": "done", "cam2/damaged.mp4": "failed"}


def test_a_scan_on_a_cluster_is_the_scan_here(recordings, client):
    outputs = ScanOutputs(clips="exact", tracks=True, heatmap=True, thumbnails=True)
    here, there = scan("here", outputs=outputs), scan("there", outputs=outputs, crew=Videos(client).scan)
    assert list(here) == list(there)
    assert states(here) == states(there) == ALL_DONE
    for name, outcome in here.items():
        other = there[name]
        assert outcome.scanned.events == other.scanned.events
        assert outcome.scanned.tracks == other.scanned.tracks
        assert outcome.scanned.facts == other.scanned.facts
        assert outcome.scanned.source == other.scanned.source
        assert [str(path).replace("here/", "there/") for path in outcome.outputs] == list(map(str, other.outputs))
        assert [clip.path.name for clip in outcome.clips] == [clip.path.name for clip in other.clips]
    assert len(there["rec/cam1/a.mkv"].scanned.events) == 1
    assert contents("here") == contents("there")
    assert listed("here/bgsub-scan.jsonl") == listed("there/bgsub-scan.jsonl")


def test_a_run_on_a_cluster_is_the_run_here(recordings, client):
    here, there = run("here"), run("there", through=Videos(client).run)
    assert list(here) == list(there)
    assert states(here) == states(there) == ALL_DONE
    assert contents("here") == contents("there")
    assert listed("here/bgsub.jsonl") == listed("there/bgsub.jsonl")
    for name, result in here.items():
        plain = {"elapsed": 0, "frames_per_second": 0, "error": None}
        other = there[name].as_dict() | plain
        assert result.as_dict() | plain == json.loads(json.dumps(other).replace("there/", "here/"))


def test_what_is_done_here_is_not_done_there_and_the_other_way_round(recordings, client):
    scan("out", names=["rec/cam1/a.mkv", "rec/cam1/b.mkv"])
    after = scan("out", crew=Videos(client).scan, names=["rec/cam1/b.mkv", "rec/cam1/a.mkv", "rec/cam2/a.mkv"])
    assert states(after) == {"cam1/b.mkv": "skipped", "cam1/a.mkv": "skipped", "cam2/a.mkv": "done"}
    assert set(states(scan("out", names=["rec/cam1/a.mkv", "rec/cam2/a.mkv"])).values()) == {"skipped"}
    run("masks", names=["rec/cam1"], through=Videos(client).run)
    assert set(states(run("masks", names=["rec/cam1"])).values()) == {"skipped"}
    assert set(states(run("masks", names=["rec/cam1"], through=Videos(client).run)).values()) == {"skipped"}


def test_without_a_folder_nothing_is_written(recordings, client):
    found = scan(None, crew=Videos(client).scan)
    assert states(found) == ALL_DONE
    assert [path.name for path in recordings.iterdir()] == ["rec"]


def test_models_and_zones_from_files_are_found_by_their_relative_names(recordings, client):
    import cv2
    import numpy as np

    mask = np.zeros((120, 160), np.uint8)
    mask[:, :40] = 255
    cv2.imwrite("left.png", mask)
    job = replace(SCAN, zones=(Zone("left", "left.png"),), model=replace(SCAN.model, region="left.png"))
    here, there = scan(None, job), scan(None, job, crew=Videos(client).scan)
    assert here["rec/cam1/a.mkv"].scanned.events == there["rec/cam1/a.mkv"].scanned.events
    (event,) = there["rec/cam1/a.mkv"].scanned.events
    assert event.zones == ("left",)


def test_how_far_each_is_is_told(recordings, client):
    seen, watched = [], []
    record("long.mkv", 300, [(20, 45)])
    scan(
        None,
        names=["long.mkv"],
        crew=Videos(client, seen.extend).scan,
        watch=lambda task, read, total: watched.append((task.input.name, total)),
    )
    assert ("long", None) in watched  # before it is open
    assert {(sight.errand.name, sight.errand.what) for sight in seen} == {("long.mkv", "scan")}


# -------------------------------------------------------------------------------------------------- what goes wrong


def test_a_worker_killed_in_the_middle_of_a_video_costs_that_video_only(recordings, client, monkeypatch):
    record("rec/cam1/victim.mkv", 60, [(20, 45)])
    with monkeypatch.context() as patch:
        patch.setattr(videos, "scan_there", work.scan_killed_once)
        there = scan("there", crew=Videos(client).scan)
    assert states(there) == {**ALL_DONE, "cam1/victim.mkv": "done"}
    assert len(work.pids(Path("there"), "deaths")) == 2
    Path("there/deaths").unlink()
    scan("here")
    assert contents("here") == contents("there")
    assert listed("here/bgsub-scan.jsonl") == listed("there/bgsub-scan.jsonl")


def test_one_killed_in_the_middle_of_a_piece_costs_that_piece_only(recordings, client, monkeypatch):
    record("victim.mkv", 300, [(100, 125), (200, 225)])
    (whole,) = scan(None, names=["victim.mkv"]).values()
    monkeypatch.setattr(videos, "scan_there", work.scan_killed_once)
    (pieced,) = scan("there", names=["victim.mkv"], crew=Videos(client).scan, pieces=4).values()
    assert (pieced.state, pieced.error) == ("done", None)
    begun = len(work.pids(recordings / "there", "deaths"))
    assert begun == 3 + 1  # three pieces, one of them twice
    assert [(event.start, event.end) for event in pieced.scanned.events] == [
        (event.start, event.end) for event in whole.scanned.events
    ]


def test_a_poisoned_video_is_set_aside_by_its_name(recordings, client, monkeypatch):
    record("rec/cam2/poison.mkv", 20)
    monkeypatch.setattr(videos, "scan_there", work.scan_poisoned)
    there = scan("there", crew=Videos(client).scan)
    assert states(there) == {**ALL_DONE, "cam2/poison.mkv": "failed"}
    message = (
        "cannot scan cam2/poison.mkv: its worker was killed 2 times, as happens where memory ends; "
        "leave it out, or give workers more memory"
    )
    assert str(there["rec/cam2/poison.mkv"].error) == message
    entry = json.loads(
        next(line for line in Path("there/bgsub-scan.jsonl").read_text().splitlines() if "poison.mkv" in line)
    )
    assert (entry["state"], entry["error"]) == ("failed", message)


def test_after_ctrl_c_the_same_command_goes_on(recordings, client):
    def interrupt(outcome):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scan("out", crew=Videos(client).scan, on_outcome=interrupt)
    told = [entry["state"] for entry in listed("out/bgsub-scan.jsonl").values()]
    assert len(told) == 4
    assert sum(state != "started" for state in told) == 1
    again = states(scan("out", crew=Videos(client).scan))
    assert {name: "done" if state == "skipped" else state for name, state in again.items()} == ALL_DONE


def test_a_run_that_lost_its_scheduler_goes_on_when_it_is_back(recordings, started, monkeypatch):
    started.scheduler()
    started.worker()
    Path("out").mkdir()
    monkeypatch.setattr(videos, "scan_there", work.scan_when_told)

    def kill(outcome):
        if outcome.task.input.name == "a":
            threading.Timer(0.3, started.kill_scheduler).start()

    names = ["rec/cam1/a.mkv", "rec/cam1/b.mkv"]
    soon = dask.config.set({"distributed.comm.timeouts.connect": "5s"})  # that the client tries to reach it again
    with soon, Client(started.address, timeout=60) as client:
        client.wait_for_workers(1, timeout=60)
        with pytest.raises(ClusterError) as error:
            scan("out", names=names, crew=Videos(client).scan, on_outcome=kill)
    assert str(error.value).startswith(f"the scheduler at {started.address} went away, with 1 left to do; ")
    assert str(error.value).endswith("run the same command again: what is in a folder of results is not done again")
    entries = {Path(name).name: entry["state"] for name, entry in listed("out/bgsub-scan.jsonl").items()}
    assert entries == {"a.mkv": "done", "b.mkv": "started"}  # cancelled is no error of b
    Path("out/go").touch()
    started.scheduler()
    started.worker()
    with Client(started.address, timeout=60) as client:
        client.wait_for_workers(1, timeout=60)
        again = states(scan("out", names=names, crew=Videos(client).scan))
    assert {Path(name).name: state for name, state in again.items()} == {"a.mkv": "skipped", "b.mkv": "done"}


# ------------------------------------------------------------------------------------ files that others do not see


@pytest.fixture
def blind(client):
    """Have the workers see files as another machine might; undone at the end."""

    def blind(function):
        client.run(_see_by, function)

    yield blind
    client.run(_see_as_before)


def _see_by(function):
    seeing._before = seeing._size
    seeing._size = function


def _see_as_before():
    seeing._size = seeing._before


def _nothing(name):
    return None


def _another(name):
    return 7


def test_a_file_that_workers_do_not_see_is_told_before_anything_is_done(recordings, client, blind):
    blind(_nothing)
    with pytest.raises(ClusterError) as error:
        scan("out", crew=Videos(client).scan)
    told = str(error.value)
    assert told.startswith("the worker tcp://127.0.0.1:")
    assert f" does not see {recordings / 'rec/cam1/a.mkv'}; put it where all machines see it by the same name" in told
    assert list(Path("out").glob("*.json")) == []


def test_another_file_of_the_same_name_is_told_of(recordings, client, blind):
    blind(_another)
    size = Path("rec/cam1/a.mkv").stat().st_size
    with pytest.raises(ClusterError, match=f"sees another {recordings}/rec/cam1/a.mkv, of 7 bytes, not {size};"):
        run("out", through=Videos(client).run)


def test_what_is_not_here_either_is_for_the_job_to_say(recordings, client):
    found = scan("out", names=["rec/cam1/a.mkv", "rec/none.mkv"], crew=Videos(client).scan)
    assert states(found) == {"cam1/a.mkv": "done", "none.mkv": "failed"}
    assert "none.mkv" in str(found["rec/none.mkv"].error)


def test_another_folder_of_the_same_name_is_told_of(recordings, client, monkeypatch):
    (recordings / "out").mkdir()
    monkeypatch.setattr(seeing, "_marked", lambda folder: folder / "of-this-machine-alone")
    with pytest.raises(ClusterError, match=f"does not see the folder {recordings}/out;"):
        check_sight(client, [], recordings / "out")


def test_the_mark_in_the_folder_is_gone_afterwards(recordings, client):
    (recordings / "out").mkdir()
    check_sight(client, [str(recordings / "rec/cam1/a.mkv")], recordings / "out")
    assert list((recordings / "out").iterdir()) == []
    with pytest.raises(OutputError, match="cannot write to "):
        check_sight(client, [], recordings / "rec/cam1/a.mkv")


@pytest.mark.parametrize("source", ["-", "0"])
def test_what_this_machine_alone_can_read_is_refused(recordings, client, source):
    inputs = [Input(source, "camera0", "camera0", is_path=False)]
    with pytest.raises(ClusterError) as error:
        scan_all(inputs, SCAN, crew=Videos(client).scan)
    assert str(error.value) == (
        f"{source} is of this machine alone: a cluster reads files and addresses; leave out --scheduler"
    )
