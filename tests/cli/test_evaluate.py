"""`bgsub evaluate`: tables, JSON, CSV, masks, report, and the errors that its users make."""

import csv
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.background.mog2.model import MOG2
from bgsub.evaluation.datasets import find_sequences
from bgsub.evaluation.results import MethodResult
from bgsub.evaluation.scoring import evaluate
from tests.cli.clips import files_in
from tests.evaluation.made import pictures, write_clip_with_truth, write_dataset, write_image, write_sequence

pytestmark = pytest.mark.slow


@pytest.fixture
def dataset(workplace):
    return write_dataset(workplace / "data")


def scored(dataset, **parameters):
    return MethodResult("mog2", [evaluate(sequence, MOG2(**parameters)) for sequence in find_sequences(dataset)])


def rows(text):
    """First words and figures of each line with figures."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        figures = [word for word in words if word.replace(".", "").isdigit() or word == "-"]
        if figures:
            found[" ".join(words[: len(words) - len(figures)])] = figures
    return found


def test_the_table_of_one_method(bgsub, dataset):
    outcome = bgsub("evaluate", dataset, "--method", "mog2")
    assert (outcome.code, outcome.err) == (0, "")
    expected = scored(dataset)
    table = rows(outcome.out)
    assert list(table) == [
        "easy/one",
        "easy/two",
        "easy",
        "hard/three",
        "hard",
        "mean over sequences",
        "overall, over categories",
    ]
    for score in expected.scores:
        assert table[score.key][0] == f"{score.metrics.recall:.4f}"
        assert table[score.key][6] == f"{score.metrics.f_measure:.4f}"
        assert len(table[score.key]) == 9
    assert table["easy"][6] == f"{expected.categories['easy'].f_measure:.4f}"
    assert table["mean over sequences"][6] == f"{expected.sequence_mean.f_measure:.4f}"
    assert table["overall, over categories"][4] == f"{expected.overall.pwc:.4f}"


def test_the_tables_of_several_methods(bgsub, dataset):
    outcome = bgsub("evaluate", dataset, "--method", "mog2:history=5", "--method", "opencv-mog2", "--method", "mog2")
    assert outcome.code == 0
    heading = outcome.out.splitlines()[0].split()
    assert heading == ["F", "by", "sequence", "mog2:history=5", "opencv-mog2", "mog2"]
    table, expected, quick = rows(outcome.out), scored(dataset), scored(dataset, history=5)
    for score, other in zip(expected.scores, quick.scores, strict=True):
        plain, fast = (f"{s.metrics.f_measure:.4f}" for s in (score, other))
        assert table[score.key] == [fast, plain, plain]
    assert table["mog2"][6] == table["opencv-mog2"][6] == f"{expected.overall.f_measure:.4f}"


def test_json_csv_and_filters(bgsub, dataset):
    outcome = bgsub("evaluate", dataset, "--json", "--csv", "s.csv", "--category", "e*", "--sequence", "t*")
    (told,) = json.loads(outcome.out)
    with Path("s.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    (inside,) = told["sequences"]
    assert inside["sequence"] == row["sequence"] == "two"
    assert inside["scored_frames"] == 10 and inside["frames"] == 12
    assert float(row["f_measure"]) == inside["f_measure"] == told["overall"]["f_measure"]


def test_clips(bgsub, workplace):
    clip = write_clip_with_truth(workplace / "clips", "walk", *pictures())
    for dataset in ("clips", clip, clip.with_name("walk.truth.mkv")):
        outcome = bgsub("evaluate", dataset)
        assert (outcome.code, next(iter(rows(outcome.out)))) == (0, "clips/walk")


@pytest.mark.parametrize("method", ["mog2", "adaptive"])
def test_what_run_wrote_is_scored_as_the_model_itself(bgsub, workplace, method):
    folder = write_sequence(workplace / "data/easy/one", *pictures(), first=41, span="43 52")
    for number in (44, 47):  # masks keep their numbers across gaps
        (folder / f"input/in{number:06d}.png").unlink()
        (folder / f"groundtruth/gt{number:06d}.png").unlink()
    for target in ("masks", "results/easy/one"):
        (workplace / target).mkdir(parents=True)
        assert bgsub("run", folder, "--method", method, "--mask", f"{target}/").code == 0
    assert files_in("masks") == [f"bin{number:06d}.png" for number in range(41, 53) if number not in (44, 47)]
    found = [
        json.loads(bgsub("evaluate", "data", *options, "--json").out)[0]
        for options in (["--method", method], ["--results", "results"], ["--results", "masks"])
    ]
    assert found[0]["overall"] == found[1]["overall"] == found[2]["overall"]
    assert found[0]["overall"]["recall"] > 0


@pytest.mark.parametrize("codec", ["ffv1", "h264"])
def test_the_video_of_masks_that_run_wrote_is_scored(bgsub, workplace, codec):
    clip = write_clip_with_truth(workplace / "clips", "walk", *pictures())
    options = ["--mask", "walk.mask.mkv", "--mask-codec", codec, "--overwrite"]
    assert bgsub("run", clip, "--method", "mog2", *options).code == 0
    (direct,) = json.loads(bgsub("evaluate", clip, "--method", "mog2", "--json").out)
    (read,) = json.loads(bgsub("evaluate", "clips", "--results", ".", "--json").out)
    assert read["overall"] == direct["overall"] and read["overall"]["recall"] > 0
    assert bgsub("run", clip, "--method", "mog2", *options, "--end", "0.2").code == 0
    assert bgsub("evaluate", "clips", "--results", ".").error == (
        "Error: walk.mask.mkv ends before clips/walk: mask all of its frames"
    )


def test_masks_of_one_sequence_are_not_taken_for_those_of_several(bgsub, dataset, workplace):
    assert bgsub("run", dataset / "easy/one", "--mask", "masks/").code == 0
    assert "masks has no masks of easy/one" in bgsub("evaluate", dataset, "--results", "masks").error
    assert bgsub("evaluate", dataset, "--results", "masks", "--sequence", "one").code == 0


def test_masks_can_be_scored_again(bgsub, dataset):
    first = bgsub("evaluate", dataset, "--method", "mog2", "--masks", "made", "--json")
    assert (first.code, first.err) == (0, "")
    assert files_in("made/easy/one") == [f"bin{number:06d}.png" for number in range(1, 13)]
    mask = cv2.imread("made/hard/three/bin000009.png", cv2.IMREAD_UNCHANGED)
    assert set(np.unique(mask)) == {0, 255}
    again = bgsub("evaluate", dataset, "--results", "made", "--json")
    ((ours,), (read,)) = json.loads(first.out), json.loads(again.out)
    assert (read["method"], read["milliseconds"]) == ("made", None)
    assert read["overall"] == ours["overall"] and read["categories"] == ours["categories"]
    both = bgsub("evaluate", dataset, "--results", "made/", "--method", "mog2")
    table = rows(both.out)
    assert all(pair[0] == pair[1] for key, pair in table.items() if "/" in key)
    assert table["made"][-2:] == ["-", "-"]


def test_the_report_and_two_processes(bgsub, dataset):
    outcome = bgsub("evaluate", dataset, "--report", "out", "--jobs", "2", "--json", "--method", "mog2")
    assert (outcome.code, outcome.err) == (0, "  wrote out/index.html\n")
    page = (dataset.parent / "out/index.html").read_text(encoding="utf-8")
    assert "<title>Evaluation on data</title>" in page
    assert f"{scored(dataset).overall.f_measure:.4f}" in page
    assert len(files_in("out/pictures")) == 3 * (1 + 6 * 4)  # a curve; six frames with truth, mask and errors
    assert json.loads(outcome.out)[0]["overall"] == scored(dataset).as_dict()["overall"]


def test_outputs_are_not_replaced_unasked(bgsub, dataset):
    (dataset.parent / "s.csv").write_text("mine")
    (dataset.parent / "out").mkdir()
    (dataset.parent / "out/mine").touch()
    refused = [
        (["--csv", "s.csv"], "s.csv exists; pass --overwrite"),
        (["--report", "out"], "folder out is not empty; pass --overwrite"),
        (["--masks", "out"], "folder out is not empty; pass --overwrite"),
        (["--csv", "s.txt"], "cannot write s.txt: its extension is not one of .csv"),
        (["--csv", "nowhere/s.csv"], "cannot write nowhere/s.csv: there is no folder nowhere"),
        (["--report", "s.csv"], "cannot write to folder s.csv: it is a file"),
        (["--masks", "data"], "cannot write data: it is the input"),
    ]
    for options, message in refused:
        outcome = bgsub("evaluate", dataset, *options)
        assert (outcome.code, outcome.out) == (1, "")
        assert outcome.error.startswith(f"Error: {message}")
    assert (dataset.parent / "s.csv").read_text() == "mine"
    assert bgsub("evaluate", dataset, "--csv", "s.csv", "--report", "out", "--overwrite").code == 0
    assert "mine" in files_in("out")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["missing"], 1, "cannot open missing: no such file or folder; check the path"),
        (["empty"], 1, "empty has no sequence: give a folder in CDnet's layout"),
        (["data", "--sequence", "x"], 1, "data has no sequence that fits --category and --sequence"),
        (["data", "--method", "vibe"], 2, "there is no method 'vibe': choose adaptive, mog2"),
        (["data", "--method", "mog2:history=0"], 2, "history is 0: give a whole number from 1"),
        (["data", "--method", "mog2:n=0"], 2, "unknown parameter 'n': there are n_components"),
        (["data", "--method", "opencv-knn:n=0"], 2, "OpenCV refuses opencv-knn:n=0: "),
        (["data", "--method", "mog2", "--method", "mog2"], 2, "mog2 is given twice: give each method and folder once"),
        (["data", "--results", "empty"], 1, "empty has no masks of easy/one: add empty/easy/one/bin000001.png"),
        (["data", "--results", "empty", "--masks", "m"], 2, "--masks writes what a --method makes: add one"),
        (["data", "--jobs", "0"], 2, "Invalid value for '--jobs': 0 is not in the range 1<=x<=256"),
        (["data", "--report", ""], 2, "Invalid value for '--report': the name is empty"),
    ],
)
def test_what_is_refused(bgsub, dataset, arguments, code, message):
    (dataset.parent / "empty").mkdir()
    outcome = bgsub("evaluate", *arguments)
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.error.startswith(f"Error: {message}")


def test_absent_peers(bgsub, dataset, monkeypatch):
    monkeypatch.setitem(sys.modules, "pybgs", None)
    monkeypatch.delattr(cv2, "bgsegm", raising=False)
    for method, said in [("gsoc", "opencv-contrib-python has it"), ("pybgs:PAWCS", "is not installed")]:
        outcome = bgsub("evaluate", dataset, "--method", method)
        assert outcome.code == 1
        assert said in outcome.error and "environment" in outcome.error


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_broken_sequence_is_named(bgsub, dataset, jobs):
    write_image(dataset / "hard/three/groundtruth/gt000012.png", np.full((32, 40), 100, np.uint8))
    outcome = bgsub("evaluate", dataset, "--jobs", jobs)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.error.startswith("Error: hard/three, frame 12: there is no label 100: labels are 0, 50")


def test_names_with_markup_are_printed_to_the_letter(bgsub, dataset):
    (dataset / "easy/one").rename(dataset / "easy/[red]one")
    assert "easy/[red]one" in rows(bgsub("evaluate", dataset).out)
