"""Means by category and overall; CSV and JSON read back."""

import csv
import json

import pytest

from bgsub.errors import OutputError
from bgsub.evaluation.protocol import Counts
from bgsub.evaluation.results import MethodResult, write_csv
from bgsub.evaluation.scoring import SequenceScore


def score(category, name, tp, fn, seconds=0.5):
    return SequenceScore(category, name, [1, 2], [Counts(tp, 0, fn, 50, 0, 4), Counts(0, 0, 0, 30, 0, 2)], 10, seconds)


SCORES = [score("a", "x", 10, 0), score("a", "y", 6, 4), score("b", "z", 1, 9, seconds=2.0)]
RESULT = MethodResult("ours", SCORES)
F = [1, 12 / 16, 2 / 11]


def test_means():
    assert [s.metrics.f_measure for s in SCORES] == pytest.approx(F)
    assert {name: m.f_measure for name, m in RESULT.categories.items()} == pytest.approx(
        {"a": (F[0] + F[1]) / 2, "b": F[2]}
    )
    assert RESULT.overall.f_measure == pytest.approx(((F[0] + F[1]) / 2 + F[2]) / 2)
    assert RESULT.sequence_mean.f_measure == pytest.approx(sum(F) / 3)
    assert RESULT.overall.recall == pytest.approx(((1 + 0.6) / 2 + 0.1) / 2)


def test_times():
    assert RESULT.milliseconds == pytest.approx(100)  # 3 s for 30 frames
    assert MethodResult("masks", [SCORES[0], score("a", "q", 1, 1, seconds=None)]).milliseconds is None


def test_json():
    told = json.loads(json.dumps(RESULT.as_dict(), allow_nan=False))
    assert told["method"] == "ours"
    assert told["overall"]["f_measure"] == pytest.approx(RESULT.overall.f_measure, abs=1e-6)
    assert told["sequence_mean"]["f_measure"] == pytest.approx(sum(F) / 3, abs=1e-6)
    assert set(told["categories"]) == {"a", "b"}
    assert (told["milliseconds"], told["frames_per_second"]) == (100, 10)
    last = told["sequences"][2]
    assert (last["category"], last["sequence"], last["frames"], last["scored_frames"]) == ("b", "z", 10, 2)
    assert (last["tp"], last["fn"], last["tn"], last["shadow"], last["recall"]) == (1, 9, 80, 6, 0.1)


def test_undefined_is_null():
    told = MethodResult("ours", [score("a", "x", 0, 0)]).as_dict()
    assert told["overall"]["f_measure"] is None and told["sequences"][0]["recall"] is None
    assert told["overall"]["pwc"] == 0


def test_csv(tmp_path):
    path = tmp_path / "scores.csv"
    tricky = SequenceScore('a"b', "x,y\n", [1], [Counts(0, 0, 0, 9, 0, 0)], 3, None)
    write_csv(path, [RESULT, MethodResult("masks, theirs", [tricky])])
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["method"], row["category"], row["sequence"]) for row in rows] == [
        ("ours", "a", "x"),
        ("ours", "a", "y"),
        ("ours", "b", "z"),
        ("masks, theirs", 'a"b', "x,y\n"),
    ]
    for row, one in zip(rows[:3], SCORES, strict=True):
        assert float(row["f_measure"]) == pytest.approx(one.metrics.f_measure, abs=1e-6)
        assert int(row["tp"]) == one.total.tp and int(row["fn"]) == one.total.fn
    assert float(rows[2]["milliseconds"]) == 200 and float(rows[2]["frames_per_second"]) == 5
    assert (rows[3]["f_measure"], rows[3]["milliseconds"], rows[3]["specificity"]) == ("", "", "1.0")
    with pytest.raises(OutputError, match="cannot write"):
        write_csv(tmp_path / "missing/scores.csv", [RESULT])
