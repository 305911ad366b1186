"""Folders and patterns on a store mean what they mean on a disk."""

import logging
import os
from pathlib import Path

import pytest

from bgsub.jobs.batch import execute_all, stamp_of
from bgsub.jobs.inputs import find_inputs
from bgsub.jobs.job import Job, ModelChoice, Outputs
from bgsub.jobs.manifest import Manifest
from bgsub.stores.store_paths import as_path
from tests.cli.clips import scene, write_clip

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def memory():
    """fsspec's store in memory, empty."""
    files = fsspec.filesystem("memory")
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


TREE = (
    "night/cam1/a2.mp4",
    "night/cam1/a10.mp4",
    "night/cam1/a10.mask.mkv",
    "night/cam1/.hidden.mp4",
    "night/cam1/notes.txt",
    "night/cam2/b [1].mkv",
    "night/cam2/in/in1.png",
    "night/cam2/in/in2.png",
    "night/top.avi",
)


@pytest.fixture
def tree(memory, tmp_path, monkeypatch):
    """The same files on a store and in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in TREE:
        memory.pipe(f"/{name}", b"x")
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"x")
    return memory


@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "night",
        "night/",
        "night/cam1",
        "night/cam1/*.mp4",
        "night/cam1/a?.mp4",
        "night/*/a*.mp4",
        "night/**/*.mkv",
        "night/cam*",
        "night/cam2/in",
        "night/cam2/in/*.png",
        "night/cam2/b [[]1].mkv",
        "night/cam2/b [1].mkv",
        "night/cam1/*.mask.mkv",
        "night/nothing/*.mp4",
        "night/cam1/*.webm",
    ],
)
def test_names_mean_the_same_as_on_a_disk(tree, name, recursive):
    here, there = (find_inputs([start + name], recursive=recursive) for start in ("", "memory://"))
    assert [item.source for item in there.each] == [f"memory://{item.source}" for item in here.each]
    for ours, other in zip(there.each, here.each, strict=True):
        assert (ours.name, ours.full_name, ours.folder) == (other.name, other.full_name, other.folder)
        assert ours.error == other.error.replace("night", "memory://night", 1)
        assert ours.identity == f"memory://{os.path.relpath(other.identity)}"
    assert there.several == here.several


def test_stores_and_disks_go_together(tree):
    found = find_inputs(["memory://night/cam1", "night/top.avi"])
    assert [item.source for item in found.each] == [
        "memory://night/cam1/a2.mp4",
        "memory://night/cam1/a10.mp4",
        "night/top.avi",
    ]


def test_what_was_left_out_is_said(tree, caplog):
    caplog.set_level(logging.INFO)
    find_inputs(["memory://night/cam1"])
    assert "memory://night/cam1: a10.mask.mkv is left out: a result, no input" in caplog.messages


def test_a_store_that_does_not_answer_is_said_of_the_name(tree, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("no route to https://me:word@host/?sign=secret")

    monkeypatch.setattr(type(tree), "info", fail)
    (item,) = find_inputs(["memory://night"]).each
    assert item.error.startswith("cannot look into memory://night: no route to https://host/; check the address")


def test_a_file_is_known_by_size_and_date(memory):
    memory.pipe("/a.mkv", b"12345")
    (item,) = find_inputs(["memory://a.mkv"]).each
    before = stamp_of(item)
    assert before.size == 5
    assert before.mtime == pytest.approx(memory.modified("/a.mkv").timestamp(), abs=0.01)
    memory.pipe("/a.mkv", b"54321")
    assert stamp_of(item) != before
    memory.rm("/a.mkv")
    assert stamp_of(item).size is None


def test_what_was_done_from_a_store_is_not_done_again(memory, clip, workplace):
    for name in ("a", "b"):
        memory.put(clip, f"/in/{name}.mkv")
    pattern = Job("", outputs=Outputs(stats="{name}.csv"))
    inputs = find_inputs(["memory://in"]).each
    states = [result.state for result in execute_all(inputs, pattern, Path("out"))]
    assert states == ["done", "done"]
    memory.put(clip, "/in/b.mkv")
    states = [result.state for result in execute_all(inputs, pattern, Path("out"))]
    assert states == ["skipped", "done"]
    with Manifest(Path("out")) as manifest:
        assert [entry.input for entry in manifest] == ["memory://in/a.mkv", "memory://in/b.mkv"]


def test_of_two_runs_into_one_folder_of_a_store_who_ends_last_takes_over_what_the_other_has_done(memory, workplace):
    for name in "abc":
        write_clip(f"{name}.mkv", scene(6))
    inputs, job = find_inputs(["*.mkv"]).each, Job("", model=ModelChoice("mog2"), outputs=Outputs(stats=".csv"))
    states = []

    def second(position, _count, result):
        states.append(result.state)
        if position == 1:
            states.extend(result.state for result in execute_all(inputs, job, as_path("memory://out")))

    execute_all(inputs, job, as_path("memory://out"), on_result=second)
    assert states == ["done", *("skipped", "done", "done"), *("failed", "failed")]
    assert [result.state for result in execute_all(inputs, job, as_path("memory://out"))] == ["skipped"] * 3
