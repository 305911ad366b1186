"""`bgsub bench`: a table and JSON with the same figures, of synthetic scenes or of a video."""

import json

import pytest

QUICK = ["--threads", "1", "--rounds", "2"]


def test_json(bgsub):
    outcome = bgsub("bench", "--size", "64x48", "--size", "32x40", *QUICK, "--json", "--no-shadows")
    assert (outcome.code, outcome.err) == (0, "")
    results = json.loads(outcome.out)
    assert [(r["width"], r["height"]) for r in results] == [(64, 48), (32, 40)]
    for result in results:
        assert (result["threads"], result["rounds"], result["shadows"]) == (1, 2, False)
        assert set(result["milliseconds"]) == {"opencv", "exact", "compact", "adaptive"}
        assert min(result["milliseconds"].values()) > 0
        assert set(result["speedup"]) == {"exact", "compact", "adaptive"}
        assert set(result["differing"]) == {"exact", "compact"}
        for spread in result["speedup"].values():
            assert 0 < spread["lower"] <= spread["median"] <= spread["upper"]
        assert result["differing"]["exact"] < 0.001
        assert result["differing"]["compact"] < 0.02


def test_table(bgsub):
    outcome = bgsub("bench", "--size", "64x48", "--threads", "1", "--threads", "2", "--rounds", "2")
    assert outcome.code == 0
    heading, *rows = [line.split() for line in outcome.out.splitlines()]
    mog2, adaptive = ["exact", "ratio", "differing", "compact", "ratio", "differing"], ["adaptive", "ratio"]
    assert heading == ["size", "threads", "OpenCV", *mog2, *adaptive]
    assert [row[:2] for row in rows] == [["64x48", "1"], ["64x48", "2"]]
    for row in rows:
        assert len(row) == 15, row
        assert [row[3], row[5], row[9], row[13]] == ["ms"] * 4
        assert row[6][-1] == row[10][-1] == row[14][-1] == "x"
        assert row[7][-1] == row[11][-1] == "%"
    assert outcome.err == "64x48, threads 1: done\n64x48, threads 2: done\n"


def test_a_video(bgsub, clip):
    outcome = bgsub("bench", "--video", clip, *QUICK, "--json")
    (result,) = json.loads(outcome.out)
    assert (result["width"], result["height"], result["shadows"]) == (64, 48, True)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--video", "missing.mp4"], 1, "cannot open missing.mp4: no such file or folder"),
        (["--video", "x.mp4", "--size", "64x48"], 2, "--video has a size of its own: leave out --size"),
        (["--size", "640"], 2, "Invalid value for '--size': '640' is no size: write 640x480, each side from 32 to"),
        (["--size", "64x31"], 2, "Invalid value for '--size': '64x31' is no size"),
        (["--rounds", "1"], 2, "Invalid value for '--rounds': 1 is not in the range 2<=x<=1000"),
        (["--threads", "0"], 2, "Invalid value for '--threads': 0 is not in the range 1<=x<=256"),
    ],
)
def test_what_is_refused(bgsub, options, code, message):
    outcome = bgsub("bench", *options)
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.error.startswith(f"Error: {message}")
