"""Single frames, read again: the same ones whether by jumping or reading through."""

import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.features import rereading
from bgsub.features.rereading import pictures_at
from bgsub.video.opening import open_source
from tests.cli.clips import scene, write_clip


@pytest.fixture
def opened(tmp_path):
    """A function that opens a clip, with the frames of it, and a list of the starts asked for."""
    clip = write_clip(tmp_path / "clip.mkv", scene(25))
    with open_source(clip) as source:
        frames = {frame.time: frame.image for frame in source}
    starts = []

    def open_from(start):
        starts.append(start)
        return open_source(clip, start=start)

    return open_from, frames, starts


@pytest.mark.parametrize(("patience", "times_opened"), [(1000.0, 4), (-1.0, 2)], ids=["jumping", "reading through"])
def test_the_frames_of_these_times(opened, monkeypatch, patience, times_opened):
    monkeypatch.setattr(rereading, "_PATIENCE", patience)
    open_from, frames, starts = opened
    wanted = [list(frames)[i] for i in (20, 3, 0, 9, 3)]
    found = pictures_at(open_from, wanted)
    assert set(found) == set(wanted)
    for moment, image in found.items():
        assert np.array_equal(image, frames[moment])
    assert starts[0] == max(wanted)
    assert len(starts) == times_opened


def test_nothing_wanted(opened):
    open_from, _, starts = opened
    assert pictures_at(open_from, []) == {}
    assert starts == []


@pytest.mark.parametrize("patience", [1000.0, -1.0])
@pytest.mark.parametrize(
    ("missing", "message"),
    [(0.019, r"^clip has no frame at 0\.019 s any more: it changed"), (5.0, r"^no frame of .*clip\.mkv was selected")],
    ids=["between two", "after the last"],
)
def test_a_frame_that_is_gone(opened, monkeypatch, patience, missing, message):
    monkeypatch.setattr(rereading, "_PATIENCE", patience)
    open_from, _, _ = opened
    with pytest.raises(SourceError, match=message):
        pictures_at(open_from, [0.0, missing])
