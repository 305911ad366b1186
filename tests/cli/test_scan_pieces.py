"""`bgsub scan --pieces`: one long video by several processes, with the events of an uncut scan."""

import json

import pytest

from tests.cli.clips import write_clip
from tests.motion.recordings import pictures


@pytest.fixture(scope="module")
def yard(tmp_path_factory):
    """20 s; something crosses the picture at the beginning, at the cut and after it."""
    images = pictures(500, [(60, 90), (240, 270), (420, 450)])
    return write_clip(tmp_path_factory.mktemp("yard") / "yard.mkv", images, codec="ffv1", pix_fmt="bgr0")


@pytest.mark.slow
def test_events_clips_and_lists_are_those_of_an_uncut_scan(yard, bgsub, workplace):
    whole = bgsub("scan", yard, "--into", "whole", "--clips", "exact", "--json")
    cut = bgsub("scan", yard, "--into", "cut", "--clips", "exact", "--json", "--pieces", "8s", "--jobs", "2")
    assert (whole.code, cut.code, cut.err) == (0, 0, "")
    one, other = json.loads(whole.out), json.loads(cut.out)
    assert [(e["start"], e["end"]) for e in other["events"]] == [(e["start"], e["end"]) for e in one["events"]]
    assert len(one["events"]) == 3
    assert sorted(path.name for path in (workplace / "cut").iterdir()) == sorted(
        path.name for path in (workplace / "whole").iterdir()
    )
    again = bgsub("scan", yard, "--into", "cut", "--clips", "exact", "--json")  # uncut, but the same
    assert json.loads(again.out)["state"] == "skipped"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--mask-video"], "masks are made of a video in one go: leave out --pieces"),
        (["--overlay-video"], "masks are made of a video in one go: leave out --pieces"),
        (["--clips", "exact", "--draw", "mask"], "masks are made of a video in one go: leave out --pieces"),
        (["--max-events", "2"], "--max-events stops a video early"),
    ],
)
def test_what_needs_the_whole_is_refused(yard, bgsub, options, reason):
    outcome = bgsub("scan", yard, "--pieces", "10s", *options)
    assert outcome.code == 2
    assert reason in " ".join(outcome.err.split())


def test_pieces_that_are_too_short_are_refused(yard, bgsub):
    outcome = bgsub("scan", yard, "--pieces", "0.1")
    assert (outcome.code, outcome.error) == (2, "Error: a piece of 0.1 s is out of bounds; give 1 s or more")
