"""--scheduler of the commands over videos: what they print and write is what they do without."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from bgsub.cli.scheduler import by_worker
from bgsub.distributed.at_work import Errand
from bgsub.distributed.spreading import Sight
from bgsub.extras import EXTRAS
from tests.cli.clips import write_clip
from tests.distributed.conftest import small_cluster
from tests.motion.recordings import record

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address():
    with small_cluster(1) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def recordings(workplace):
    record("rec/a.mkv", 60, [(20, 45)])
    record("rec/b.mkv", 40)


def same_but_for_speed(first, second):
    """Say whether two outputs are the same, whatever was measured."""
    plain = [
        re.sub(r"[\d,]+ frames/s|\"(elapsed|frames_per_second|steady)\": [\d.]+", "", text) for text in (first, second)
    ]
    return plain[0] == plain[1].replace("there", "here")


def test_scan(bgsub, recordings, address):
    options = ["--method", "mog2", "--clips", "copy"]
    here = bgsub("scan", "rec", "--into", "here", "--report", "here.csv", *options)
    there = bgsub("scan", "rec", "--into", "there", "--report", "there.csv", "--scheduler", address, *options)
    assert (here.code, there.code, there.err) == (0, 0, here.err)
    assert same_but_for_speed(here.out, there.out)
    assert "rec/a.mkv: 1 event in" in there.out
    assert Path("here.csv").read_text().replace("here", "there") == Path("there.csv").read_text()
    again = bgsub("scan", "rec", "--into", "there", *options)
    assert "2 videos: 2 done before" in again.out


def test_scan_in_pieces(bgsub, workplace, address):
    record("long.mkv", 300, [(100, 125), (200, 225)])
    here = bgsub("scan", "long.mkv", "--method", "mog2", "--json")
    there = bgsub("scan", "long.mkv", "--method", "mog2", "--json", "--pieces", "4", "--scheduler", address)
    assert (here.code, there.code) == (0, 0)
    starts = [[event["start"] for event in json.loads(told.out)["events"]] for told in (here, there)]
    assert len(starts[1]) == 2
    assert starts[0] == starts[1]


def test_run(bgsub, recordings, address):
    options = ["--method", "mog2", "--mask", ".mkv", "--stats", ".csv"]
    here = bgsub("run", "rec", "--into", "here", *options)
    there = bgsub("run", "rec", "--into", "there", "--scheduler", address, *options)
    assert (here.code, there.code, there.err) == (0, 0, here.err)
    assert same_but_for_speed("\n".join(sorted(here.out.splitlines())), "\n".join(sorted(there.out.splitlines())))
    assert Path("here/a.stats.csv").read_text() == Path("there/a.stats.csv").read_text()
    again = bgsub("run", "rec", "--into", "there", "--scheduler", address, *options)
    assert "2 inputs: 2 done before; results in there/" in again.out


def test_frames(bgsub, recordings, address):
    here = bgsub("cluster", "frames", "rec", "--into", "here")
    there = bgsub("cluster", "frames", "rec", "--into", "there", "--scheduler", address)
    assert (here.code, there.code, there.err) == (0, 0, here.err)
    for name in ("a", "b"):
        tables = [parquet.read_table(f"{folder}/{name}.features.parquet") for folder in ("here", "there")]
        assert tables[0].equals(tables[1])
    again = bgsub("cluster", "frames", "rec", "--into", "there")
    assert "2 inputs: 2 done before; results in there/" in again.out


def test_one_input_of_a_run_is_one_of_many(bgsub, recordings, address):
    told = bgsub("run", "rec/a.mkv", "--method", "mog2", "--mask", ".mkv", "--scheduler", address)
    assert told.code == 0
    assert Path("a.mask.mkv").exists()
    told = bgsub("run", "rec/a.mkv", "--mask", "m.mkv", "--scheduler", address)
    assert (told.code, "--mask m.mkv is one name for several inputs" in told.error) == (2, True)


def test_evaluate(bgsub, recordings, address):
    for name, seed in (("one", 0), ("two", 1)):
        record(f"set/{name}.mkv", 30, [(10, 20)], seed=seed)
        truth = [np.full((120, 160), 255 * (10 <= i < 20), np.uint8) for i in range(30)]
        write_clip(f"set/{name}.truth.mkv", truth)
    told = [
        bgsub("evaluate", "set", "--method", "mog2", "--json", "--masks", folder, *more)
        for folder, more in (("here", []), ("there", ["--scheduler", address]))
    ]
    assert [one.code for one in told] == [0, 0], told
    times = ("milliseconds", "frames_per_second")
    scores = [[{k: v for k, v in some.items() if k not in times} for some in _flat(one.out)] for one in told]
    assert scores[0] == scores[1]
    masks = [sorted(path.relative_to(folder) for path in Path(folder).rglob("*.png")) for folder in ("here", "there")]
    assert len(masks[1]) == 60
    assert masks[0] == masks[1]
    assert all((Path("here") / name).read_bytes() == (Path("there") / name).read_bytes() for name in masks[0])


def _flat(text):
    """Objects of JSON, however deep, with their numbers alone."""
    found, ahead = [], [json.loads(text)]
    while ahead:
        value = ahead.pop()
        if isinstance(value, dict):
            found.append({k: v for k, v in value.items() if isinstance(v, (int, float))})
            ahead += value.values()
        elif isinstance(value, list):
            ahead += value
    return found


def test_what_cannot_be_is_told_in_one_line(bgsub, recordings):
    for command in (["scan", "rec"], ["run", "rec"], ["cluster", "frames", "rec"], ["evaluate", "rec"]):
        told = bgsub(*command, "--scheduler", "nowhere")
        if command[0] != "evaluate":  # there is nothing to evaluate in it
            assert told.code == 1
            assert told.error == (
                "Error: nowhere is no address of a scheduler; give local, tcp://HOST:PORT or tls://HOST:PORT"
            )
    assert "leave out --concat and --show" in bgsub("run", "rec", "--concat", "--scheduler", "local").error
    assert "is of this machine alone" in bgsub("scan", "-", "--scheduler", "local").error


def test_without_dask_it_is_said_what_to_install(bgsub, recordings, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name in EXTRAS["dask"] else real(name, *a)
    )
    told = bgsub("scan", "rec", "--scheduler", "local")
    assert told.error == ('Error: --scheduler needs dask, which is not installed; pip install "bgsub[dask]"')


def sight(number, worker, read, total):
    return Sight(Errand(number, "scan", f"cam/{number}.mp4", print), worker, read, total)


def test_a_line_for_each_worker():
    sights = [
        sight(1, "tcp://10.0.0.2:7", 30, 120),
        sight(0, "tcp://10.0.0.1:7", 5, None),
        sight(2, "tcp://10.0.0.2:7", 0, 9),
    ]
    assert by_worker(sights) == ["  10.0.0.1:7: cam/0.mp4 5 frames", "  10.0.0.2:7: cam/1.mp4 25%, cam/2.mp4 0%"]
    assert by_worker([sight(3, "0", 1, 2)]) == ["  worker 0: cam/3.mp4 50%"]  # of this machine
    assert by_worker([]) == []


def test_no_more_lines_than_a_screen_has():
    lines = by_worker([sight(i, f"node{i:03}", 1, 2) for i in range(40)])
    assert len(lines) == 12
    assert lines[-1] == "  and 29 workers more"
    assert len(by_worker([sight(i, f"node{i:03}", 1, 2) for i in range(12)])) == 12
