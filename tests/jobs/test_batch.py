"""Many inputs into one folder: what is done is left out, what changed is done again, and no input ends the rest."""

import contextlib
import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bgsub.errors import OutputError, ParameterError
from bgsub.jobs import Excerpt, Job, ModelChoice, Outputs
from bgsub.jobs.batch import attempt, execute_all, settings_of
from bgsub.jobs.inputs import Input, find_inputs
from bgsub.jobs.manifest import Entry, Manifest
from bgsub.jobs.naming import for_one, patterns, plan
from tests.cli.clips import assert_masks, files_in, masks_of, scene, write_clip

MODEL = ModelChoice("mog2")


def job(**outputs):
    """A job with masks alone, unless other outputs are asked for."""
    named = {name for name in outputs if name != "overwrite"}
    return Job("", model=MODEL, outputs=Outputs(**({} if named else {"mask": ".mkv"}), **outputs))


@pytest.fixture
def recordings(clip, workplace):
    """Two cameras with a clip each, of different scenes."""
    for camera in ("cam1", "cam2"):
        (workplace / "rec" / camera).mkdir(parents=True)
    shutil.copy(clip, "rec/cam1/a.mkv")
    write_clip("rec/cam2/b.mkv", scene(12, seed=1))
    return "rec"


def do(pattern=None, *, names=("rec",), folder="out", **options):
    """State of each input, by its path."""
    results = execute_all(find_inputs(names, recursive=True).each, pattern or job(), Path(folder), **options)
    return {result.task.input.source: result.state for result in results}


def entries(folder="out"):
    return [json.loads(line) for line in Path(folder, "bgsub.jsonl").read_text().splitlines()]


A, B = "rec/cam1/a.mkv", "rec/cam2/b.mkv"


# ----------------------------------------------------------------------------------------------------------- lifecycles


def test_a_first_run_and_a_second(recordings, images, workplace):
    assert do() == {A: "done", B: "done"}
    assert files_in("out") == ["bgsub.jsonl", "cam1", "cam1/a.mask.mkv", "cam2", "cam2/b.mask.mkv"]
    assert_masks("out/cam1/a.mask.mkv", masks_of(images))
    assert_masks("out/cam2/b.mask.mkv", masks_of(scene(12, seed=1)))
    before = [path.stat().st_mtime_ns for path in workplace.glob("out/*/*.mkv")]
    assert do() == {A: "skipped", B: "skipped"}
    assert [path.stat().st_mtime_ns for path in workplace.glob("out/*/*.mkv")] == before
    first, second = entries()
    assert (first["input"], first["size"]) == (str(workplace / A), Path(A).stat().st_size)
    assert (first["outputs"], first["state"], first["frames"]) == (["cam1/a.mask.mkv"], "done", 30)
    assert (second["outputs"], second["state"], second["frames"]) == (["cam2/b.mask.mkv"], "done", 12)
    assert (
        first["settings"] == second["settings"] == settings_of(replace(job(), outputs=patterns(Outputs(mask=".mkv"))))
    )


def test_other_settings_are_refused_before_anything_is_read(recordings, images):
    do()
    before = Path("out/bgsub.jsonl").read_bytes()
    for other in (
        replace(job(), excerpt=Excerpt(end=0.4)),
        replace(job(), model=ModelChoice("mog2", {"history": 20})),
        job(mask=".mp4"),
        job(mask=".mkv", stats=".csv"),
    ):
        with pytest.raises(OutputError) as caught:
            do(other)
        assert str(caught.value) == (
            f"out holds results of {A} and 1 more by other settings: "
            "pass --overwrite to replace them, or choose another folder"
        )
    assert Path("out/bgsub.jsonl").read_bytes() == before
    assert_masks("out/cam1/a.mask.mkv", masks_of(images))
    assert do(job(overwrite=True)) == {A: "done", B: "done"}
    shorter = replace(job(overwrite=True), excerpt=Excerpt(end=0.4))
    assert do(shorter) == {A: "done", B: "done"}
    assert_masks("out/cam1/a.mask.mkv", masks_of(images[:10]))
    assert do(replace(shorter, outputs=Outputs(mask=".mkv"))) == {A: "skipped", B: "skipped"}


def test_what_changes_no_mask_is_no_other_setting(recordings):
    do()
    assert do(replace(job(), model=ModelChoice("mog2", threads=1))) == {A: "skipped", B: "skipped"}
    assert do(Job("", model=ModelChoice("mog2", {}), outputs=Outputs(mask=".mkv"))) == {A: "skipped", B: "skipped"}
    assert do(job(mask="{name}.mask.mkv")) == {A: "skipped", B: "skipped"}


def test_other_inputs_may_have_other_settings(recordings):
    do(names=[A, "rec/cam2"])
    write_clip("rec/cam2/c.mkv", scene(5))
    assert do(replace(job(), excerpt=Excerpt(end=0.1)), names=["rec/cam2/c.mkv"]) == {"rec/cam2/c.mkv": "done"}


def test_an_input_that_changed_is_done_again(recordings, images):
    do()
    write_clip(A, images[:20])
    assert do() == {A: "done", B: "skipped"}
    assert_masks("out/cam1/a.mask.mkv", masks_of(images[:20]))
    assert do() == {A: "skipped", B: "skipped"}


def test_a_result_that_is_gone_is_made_again(recordings):
    do()
    Path("out/cam1/a.mask.mkv").unlink()
    assert do() == {A: "done", B: "skipped"}


def test_a_broken_input_ends_nothing_and_is_tried_again(recordings, clip):
    Path(A).write_bytes(b"no video")
    results = execute_all(find_inputs(["rec", "gone.mkv", "no*.mkv"], recursive=True).each, job(), Path("out"))
    assert [result.state for result in results] == ["failed", "done", "failed", "failed"]
    assert str(results[0].error) == f"cannot open {A}: it is not a video that FFmpeg can read; check the file"
    assert str(results[2].error) == "cannot open gone.mkv: no such file or folder; check the path"
    assert str(results[3].error) == "cannot open no*.mkv: no file fits this pattern; check it and its folder"
    assert (entries()[0]["state"], entries()[0]["error"]) == ("failed", str(results[0].error))
    assert do() == {A: "failed", B: "skipped"}
    shutil.copy(clip, A)
    assert do() == {A: "done", B: "skipped"}
    assert [entry["state"] for entry in entries()][:2] == ["done", "done"]


def test_an_error_that_nobody_expected_ends_nothing(recordings, monkeypatch):
    real = execute_all.__globals__["execute"]

    def fails(one, **keywords):
        if "cam1" in one.source:
            raise RuntimeError("a fault\nof two lines")
        return real(one, **keywords)

    monkeypatch.setattr("bgsub.jobs.batch.execute", fails)
    assert do() == {A: "failed", B: "done"}
    assert entries()[0]["error"] == f"{A}: RuntimeError: a fault of two lines"


def test_ctrl_c_ends_the_whole_and_the_next_run_goes_on(recordings, images):
    write_clip("rec/cam3.mkv", scene(6))

    def watch(position, count, task):
        def after(tally):
            if position == 2 and tally.read == 7:
                raise KeyboardInterrupt

        return lambda stage, total: contextlib.nullcontext(after)

    told = []
    names = ["rec/cam3.mkv", B, A]
    results = execute_all(
        find_inputs(names).each, job(), Path("out"), watch=watch, on_result=lambda *given: told.append(given[:2])
    )
    assert [result.state for result in results] == ["done", "interrupted"]
    assert isinstance(results[1].error, KeyboardInterrupt)
    assert told == [(1, 3), (2, 3)]
    assert_masks("out/cam2/b.mask.mkv", masks_of(scene(12, seed=1)[:7]))
    assert [entry["state"] for entry in entries()] == ["done", "interrupted"]
    assert do(names=names) == {"rec/cam3.mkv": "skipped", B: "done", A: "done"}
    assert_masks("out/cam2/b.mask.mkv", masks_of(scene(12, seed=1)))


def test_what_was_killed_is_done_again(recordings, images):
    """As after a kill: the list says 'started', and the file is cut."""
    do()
    done = Entry.from_line(Path("out/bgsub.jsonl").read_bytes().splitlines(keepends=True)[0])
    with Manifest(Path("out")) as manifest:
        manifest.add(replace(done, state="started", frames=None))
    Path("out/cam1/a.mask.mkv").write_bytes(b"cut")
    assert do() == {A: "done", B: "skipped"}
    assert_masks("out/cam1/a.mask.mkv", masks_of(images))


# ---------------------------------------------------------------------------------------------- whose file is it


def test_a_file_that_no_run_of_ours_made_is_kept(recordings):
    Path("out/cam1").mkdir(parents=True)
    Path("out/cam1/a.mask.mkv").write_text("precious")
    for _ in range(2):
        results = execute_all(find_inputs(["rec"], recursive=True).each, job(), Path("out"))
        assert [result.state for result in results] == ["failed", "done"] or results[1].state == "skipped"
        assert "out/cam1/a.mask.mkv exists; pass --overwrite or choose another name" in str(results[0].error)
        assert Path("out/cam1/a.mask.mkv").read_text() == "precious"
    assert do(job(overwrite=True)) == {A: "done", B: "done"}


def test_names_in_a_hostile_list_are_never_written_to(recordings, workplace):
    Path("precious.mkv").write_text("precious")
    Path("out").mkdir()
    bad = {"input": str(workplace / A), "size": 1, "mtime": 1.0, "settings": "x", "state": "failed"}
    for outputs in (["../precious.mkv"], [str(workplace / "precious.mkv")], ["cam1/a.mask.mkv", "../precious.mkv"]):
        Path("out/bgsub.jsonl").write_text(json.dumps(bad | {"outputs": outputs}) + "\n")
        assert do(job(overwrite=True))[A] == "done"
        assert Path("precious.mkv").read_text() == "precious"


def test_no_output_is_an_input(recordings):
    with pytest.raises(OutputError, match=r"rec/cam1/a.mkv: it is one of the inputs"):
        do(job(mask="{name}.mkv", overwrite=True), folder="rec")
    for name in ("a.mkv", "a.mask.mkv"):
        shutil.copy(A, name)
    with pytest.raises(OutputError, match=r"cannot write a.mask.mkv: it is one of the inputs"):
        do(job(overwrite=True), names=["a.mkv", "a.mask.mkv"], folder=".")


def test_two_runs_at_a_time(recordings):
    Path("out").mkdir()
    with Manifest(Path("out")), pytest.raises(OutputError, match="another run works in out"):
        do()


def test_a_folder_that_cannot_be_made(recordings):
    Path("out").write_text("a file")
    with pytest.raises(OutputError, match="cannot make the folder out: File exists; choose another one"):
        do()


# ------------------------------------------------------------------------------------------------------------- names


def inputs(*names):
    return [Input(name, Path(name).stem, Path(name).name) for name in names]


def planned(*names, pattern=None, claimed=None):
    wanted = pattern or replace(job(), outputs=patterns(job().outputs))
    return [task.outputs[0] for task in plan(inputs(*names), wanted, Path("out"), claimed or {})]


def test_names_that_would_be_the_same_are_told_apart(workplace):
    assert planned("a.ts", "b.ts") == ["a.mask.mkv", "b.mask.mkv"]
    assert planned("a.ts", "a.mp4") == ["a.ts.mask.mkv", "a.mp4.mask.mkv"]
    assert planned("a.mp4", "A.MP4") == ["a.mp4.mask.mkv", "A.MP4-2.mask.mkv"]  # one name to some file systems
    assert planned("x/a.mp4", "y/a.mp4", "z/a.mp4") == ["a.mp4.mask.mkv", "a.mp4-2.mask.mkv", "a.mp4-3.mask.mkv"]
    assert planned("é.mp4", "e\u0301.mp4") == ["é.mp4.mask.mkv", "e\u0301.mp4-2.mask.mkv"]


def test_what_an_input_is_called_once_it_is_called_always(workplace):
    owner = inputs("a.ts")[0].identity
    assert planned("a.ts", "a.mp4", claimed={owner: ("a.mask.mkv",)}) == ["a.mask.mkv", "a.mp4.mask.mkv"]
    assert planned("a.mp4", claimed={owner: ("a.mask.mkv",)}) == ["a.mp4.mask.mkv"]


def test_no_output_takes_the_name_of_the_list(workplace):
    pattern = Job("", outputs=patterns(Outputs(stats="{name}.jsonl")))
    assert planned("bgsub.mp4", pattern=pattern) == ["bgsub.mp4.jsonl"]


def test_a_name_as_long_as_file_systems_take(workplace):
    names = planned("x" * 251 + ".mp4", "x" * 250 + "y.mp4", "ü" * 120 + ".mp4")
    assert len(set(names)) == 3
    assert all(len(name.encode()) <= 255 for name in names)


def test_extensions_become_patterns():
    made = patterns(Outputs(mask=".mkv", overlay=".mp4", stats=".csv", background=".png", save_model=".bgsub"))
    assert (made.mask, made.overlay, made.stats) == ("{name}.mask.mkv", "{name}.overlay.mp4", "{name}.stats.csv")
    assert (made.background, made.save_model) == ("{name}.background.png", "{name}.bgsub")
    assert (patterns(Outputs()).mask, patterns(Outputs()).overlay) == ("{name}.mask.mkv", "{name}.overlay.mp4")
    assert patterns(Outputs(overlay=".mp4")).mask is None
    assert patterns(made) == made


def test_one_input_takes_plain_names_too():
    one = for_one(Outputs(mask="/out/m.mkv", overlay=".mp4", stats="tables/{name}.csv", foreground="cut/"), "a b")
    assert (one.mask, one.overlay, one.stats) == ("/out/m.mkv", "a b.overlay.mp4", "tables/a b.csv")
    assert (one.foreground, one.background) == ("cut/", None)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"mask": "m.mkv"}, "--mask m.mkv is one name for several inputs: write .mkv or '{name}.mask.mkv'"),
        ({"mask": "masks/"}, "--mask masks/ is one name for several inputs: write '{name}/'"),
        ({"overlay": "o.mp4"}, "--overlay o.mp4 is one name for several inputs: write .mp4 or '{name}.overlay.mp4'"),
        ({"stats": "-"}, "--stats - is one name for several inputs: write .csv or '{name}.stats.csv'"),
        ({"save_model": "m.bgsub"}, "--save-model m.bgsub is one name for several inputs: write .bgsub or"),
        ({"mask": "../{name}.mkv"}, "--mask ../{name}.mkv leads out of the folder of results"),
        ({"mask": "/tmp/{name}.mkv"}, "--mask /tmp/{name}.mkv leads out of the folder of results"),
    ],
)
def test_one_name_for_many_is_refused(outputs, message):
    with pytest.raises(ParameterError) as caught:
        patterns(Outputs(**outputs))
    assert str(caught.value).startswith(message)


def test_outputs_of_every_kind(recordings, images):
    wanted = job(mask="masks/{name}/", stats=".jsonl", background="{name}.png", save_model=".bgsub")
    assert do(wanted, names=[A, B]) == {A: "done", B: "done"}
    numbers = [f"bin{number:06d}.png" for number in range(1, 31)]
    assert files_in("out/masks/cam1/a") == numbers
    assert {"a.stats.jsonl", "a.png", "a.bgsub"} <= set(files_in("out/cam1"))
    assert entries()[0]["outputs"] == ["masks/cam1/a/", "cam1/a.png", "cam1/a.stats.jsonl", "cam1/a.bgsub"]
    assert do(wanted, names=[A, B]) == {A: "skipped", B: "skipped"}
    write_clip(A, images)
    assert do(wanted, names=[A, B])[A] in ("done", "skipped")  # a file system may count whole seconds


# ---------------------------------------------------------------------------------------------- sequences, digests


def test_a_sequence_of_pictures_is_known_by_all_its_pictures(workplace):
    import cv2

    for name in ("one", "two"):
        (workplace / "set" / name / "input").mkdir(parents=True)
        for number, image in enumerate(scene(4), 1):
            cv2.imwrite(f"set/{name}/input/in{number:06d}.png", image)
    assert do(names=["set"]) == {"set/one": "done", "set/two": "done"}
    assert files_in("out") == ["bgsub.jsonl", "one.mask.mkv", "two.mask.mkv"]
    assert do(names=["set"]) == {"set/one": "skipped", "set/two": "skipped"}
    cv2.imwrite("set/two/input/in000005.png", scene(5)[-1])
    assert do(names=["set"]) == {"set/one": "skipped", "set/two": "done"}


def test_a_camera_is_never_done(yard, workplace):
    yard()
    assert do(names=["0"]) == {"0": "done"}
    assert entries()[0]["size"] is None
    results = execute_all(find_inputs(["0"]).each, job(), Path("out"))
    assert results[0].state == "failed"
    assert "camera0.mask.mkv exists; pass --overwrite" in str(results[0].error)
    assert do(job(overwrite=True), names=["0"]) == {"0": "done"}


def test_digests_of_settings(workplace):
    Path("m.bgsub").write_bytes(b"1")
    plain = settings_of(Job("a", outputs=Outputs(mask="{name}.mkv")))
    assert settings_of(Job("b", outputs=Outputs(mask="{name}.mkv", overwrite=True))) == plain
    assert settings_of(Job("a", warm_up=0.0, excerpt=Excerpt(every=1), outputs=Outputs(mask="{name}.mkv"))) == plain
    assert settings_of(Job("a", warm_up=1.0, outputs=Outputs(mask="{name}.mkv"))) != plain
    loaded = Job("a", model=ModelChoice(load="m.bgsub"))
    before = settings_of(loaded)
    assert before != settings_of(Job("a"))
    Path("m.bgsub").write_bytes(b"2")
    assert settings_of(loaded) != before


def test_tasks_and_results_go_to_other_processes(recordings, images):
    wanted = replace(job(), outputs=patterns(job().outputs))
    (task,) = plan(find_inputs([A]).each, wanted, Path("out"))
    result = attempt(pickle.loads(pickle.dumps(task)))
    assert (result.state, result.summary.tally.read) == ("done", 30)
    assert pickle.loads(pickle.dumps(result)).as_dict() == result.as_dict()
    assert json.loads(json.dumps(result.as_dict()))["source"] == A
    assert_masks("out/a.mask.mkv", masks_of(images))
