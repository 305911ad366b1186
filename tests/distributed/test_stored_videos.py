"""Recordings and results on a store, and pieces, on a cluster: as here."""

from __future__ import annotations

import json

import pytest
from distributed import Client

from bgsub.distributed.videos import Videos
from bgsub.jobs import Job, ModelChoice, Outputs
from bgsub.jobs.batch import execute_all
from bgsub.jobs.inputs import find_inputs
from bgsub.motion.folder import scan_all
from bgsub.motion.job import ScanJob
from bgsub.motion.outputs import ScanOutputs
from bgsub.stores.store_paths import StorePath
from tests.cli.clips import read_video
from tests.distributed.conftest import small_cluster
from tests.motion.recordings import record
from tests.s3 import SECRET, served

pytestmark = pytest.mark.slow

SCAN = ScanJob("", model=ModelChoice("mog2"))


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """A server with two recordings, also in a folder here."""
    folder = tmp_path_factory.mktemp("night")
    record(folder / "gate.mkv", 200, [(40, 70), (140, 170)])
    record(folder / "still.mkv", 60)
    with served() as server:
        server.files.put(str(folder), "cams/night", recursive=True)
        server.folder = folder
        yield server


@pytest.fixture(scope="module")
def client(s3):
    """Workers that were started where the environment tells of the store."""
    with small_cluster(2) as cluster, Client(cluster) as client:
        yield client


def times(outcomes):
    return [[(event.start, event.end) for event in outcome.scanned.events] for outcome in outcomes]


def test_a_scan_on_a_cluster_reads_and_writes_a_store(s3, client):
    inputs, folder = find_inputs(["s3://cams/night"]).each, StorePath("s3://cams/found")
    outputs = ScanOutputs(clips="copy", thumbnails=True)
    there = scan_all(inputs, SCAN, outputs, folder, crew=Videos(client).scan)
    assert [(outcome.state, outcome.error) for outcome in there] == [("done", None)] * 2
    assert times(there) == times(scan_all(find_inputs([str(s3.folder)]).each, SCAN))
    assert [len(events) for events in times(there)] == [2, 0]
    s3.files.invalidate_cache()
    names = sorted(name.removeprefix("cams/found/") for name in s3.files.find("cams/found"))
    assert names == [
        "bgsub-scan.jsonl",
        "gate.event-001.jpg",
        "gate.event-001.mkv",
        "gate.event-002.jpg",
        "gate.event-002.mkv",
        "gate.scan.json",
        "still.scan.json",
    ]
    manifest = s3.files.cat("cams/found/bgsub-scan.jsonl").decode()
    assert [json.loads(line)["input"] for line in manifest.splitlines()] == [item.source for item in inputs]
    assert SECRET not in manifest
    again = scan_all(inputs, SCAN, outputs, folder)  # here
    assert [outcome.state for outcome in again] == ["skipped", "skipped"]
    assert times(again) == times(there)


def test_pieces_of_a_recording_on_a_store(s3, client):
    inputs = find_inputs(["s3://cams/night/gate.mkv"]).each
    (there,) = scan_all(inputs, SCAN, crew=Videos(client).scan, pieces=3)
    (whole,) = scan_all(inputs, SCAN)
    assert there.error is None
    assert times([there]) == times([whole])
    assert there.scanned.facts == whole.scanned.facts


def test_what_a_store_does_not_give_fails_in_one_line_and_is_done_when_it_is_back(s3, client, tmp_path):
    inputs = find_inputs(["s3://cams/night"]).each
    s3.stop()
    try:
        away = scan_all(inputs, SCAN, folder=tmp_path, crew=Videos(client).scan)
    finally:
        s3.start()
    assert [outcome.state for outcome in away] == ["failed", "failed"]
    for outcome, item in zip(away, inputs, strict=True):
        assert str(outcome.error).startswith(f"cannot open {item.source}: Could not connect to the endpoint URL: ")
        assert str(outcome.error).endswith("and that the store answers")
    back = scan_all(inputs, SCAN, folder=tmp_path, crew=Videos(client).scan)
    assert [(outcome.state, outcome.error) for outcome in back] == [("done", None)] * 2
    assert [len(events) for events in times(back)] == [2, 0]


def test_a_run_on_a_cluster_writes_the_masks_of_one_here(s3, client, tmp_path):
    job = Job("", model=ModelChoice("mog2"), outputs=Outputs(mask=".mkv", stats=".csv"))
    there = execute_all(
        find_inputs(["s3://cams/night"]).each, job, StorePath("s3://cams/masks"), through=Videos(client).run
    )
    assert [(result.state, result.error) for result in there] == [("done", None)] * 2
    execute_all(find_inputs([str(s3.folder)]).each, job, tmp_path)
    s3.files.invalidate_cache()
    for name in ("gate", "still"):
        table = s3.files.cat(f"cams/masks/{name}.stats.csv").decode()
        assert table == (tmp_path / f"{name}.stats.csv").read_text()
        s3.files.get(f"cams/masks/{name}.mask.mkv", str(tmp_path / "got.mkv"))
        got, here = read_video(tmp_path / "got.mkv"), read_video(tmp_path / f"{name}.mask.mkv")
        assert got[0] == here[0]
        assert all((a == b).all() for a, b in zip(got[1], here[1], strict=True))
