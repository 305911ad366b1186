"""A reel shows all events one after another, with a chapter for each."""

import av
import numpy as np
import pytest

from bgsub.errors import OutputError, SourceError
from bgsub.motion.clips.reel import letterboxed, write_reel
from bgsub.motion.events import Rule
from bgsub.video.opening import open_source
from tests.motion.clips.test_clips import read, scanned
from tests.video.clips import smooth_pictures, write_clip
from tests.video.writers.test_copying import film
from tests.video.writers.test_sound import beeps, make_film

RULE = Rule(before=0.2, after=0.2)


def chapters_of(path):
    with av.open(str(path)) as container:
        return [
            (float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"]), c["metadata"]["title"])
            for c in container.chapters()
        ]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_events_of_several_recordings_follow_with_chapters(tmp_path, suffix):
    one = film(tmp_path / "one.mp4")
    wide = write_clip(
        tmp_path / "wide.mp4", smooth_pictures(40, 128, 48), codec="libx264", pix_fmt="yuv420p", options={"bf": "0"}
    )
    results = [scanned(one, events=[(0.6, 1.0), (2.0, 2.4)]), scanned(wide, events=[(0.4, 1.0)], duration=1.6)]
    chapters = write_reel(results, tmp_path / f"reel{suffix}", RULE)
    assert [chapter.title for chapter in chapters] == [
        "one event 1, 0:00:00.60", "one event 2, 0:00:02.00", "wide event 1, 0:00:00.40",
    ]  # fmt: skip
    spans = [(0.0, 0.8), (0.8, 1.6), (1.6, 2.6)]
    found = chapters_of(tmp_path / f"reel{suffix}")
    assert [chapter[2] for chapter in found] == [chapter.title for chapter in chapters]
    assert [chapter[:2] for chapter in found] == [pytest.approx(span, abs=2e-3) for span in spans]
    frames = read(tmp_path / f"reel{suffix}")
    assert [time for time, _ in frames] == pytest.approx([index / 25 for index in range(65)], abs=2e-3)
    source = dict(enumerate(image for _, image in read(one)))
    for place, index in ((0, 10), (19, 29), (20, 45), (39, 64)):
        assert np.abs(frames[place][1][16:].astype(int) - source[index][16:]).mean() < 5
    last = frames[50][1]
    assert last.shape == (48, 64, 3)
    assert last[:10].max() < 20  # black above
    assert last[16:32, 40:].min() > 30
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.mp4", f"reel{suffix}", "wide.mp4"]


@pytest.mark.slow
def test_a_reel_is_heard_in_step(tmp_path):
    first, second = make_film(tmp_path / "aac.mp4"), make_film(tmp_path / "pcm.avi", "pcm.avi")
    silent = film(tmp_path / "silent.mp4")
    results = [
        scanned(first, events=[(1.7, 2.3), (3.8, 4.3)], duration=5.0),
        scanned(silent, events=[(1.0, 2.0)]),
        scanned(second, events=[(0.7, 1.3)], duration=5.0),
    ]
    write_reel(results, tmp_path / "reel.mp4", RULE)
    found = beeps(tmp_path / "reel.mp4")[1]
    # each begins .2 s before its event; the silent one lasts 1.4 s
    assert found == pytest.approx([0.5, 1.0 + 0.4, 1.9 + 1.4 + 0.5], abs=0.04)


def test_without_events_there_is_no_reel(tmp_path):
    source = film(tmp_path / "one.mp4", frames=20)
    assert write_reel([scanned(source)], tmp_path / "reel.mp4", RULE) == []
    assert not (tmp_path / "reel.mp4").exists()


def test_a_recording_that_is_gone_is_left_out(tmp_path, caplog):
    source, gone = film(tmp_path / "one.mp4"), tmp_path / "gone.mp4"
    results = [scanned(gone, events=[(0.6, 1.0)]), scanned(source, events=[(2.0, 2.4)])]
    chapters = write_reel(results, tmp_path / "reel.mp4", RULE)
    assert [chapter.title for chapter in chapters] == ["one event 1, 0:00:02.00"]
    assert "gone.mp4: no such file or folder" in caplog.text
    with pytest.raises(SourceError, match="not one frame of its events can be read again; check the recordings"):
        write_reel(results[:1], tmp_path / "none.mp4", RULE)
    assert not (tmp_path / "none.mp4").exists()


def test_a_reel_replaces_nothing_unless_told(tmp_path):
    source = film(tmp_path / "one.mp4")
    results = [scanned(source, events=[(0.6, 1.0)])]
    with pytest.raises(OutputError, match="it is the input"):
        write_reel(results, source, RULE, overwrite=True)
    (tmp_path / "reel.mkv").write_bytes(b"kept")
    with pytest.raises(OutputError, match="exists; pass --overwrite"):
        write_reel(results, tmp_path / "reel.mkv", RULE)
    assert (tmp_path / "reel.mkv").read_bytes() == b"kept"
    with pytest.raises(OutputError, match=r"its extension is not one of \.mp4, \.mkv"):
        write_reel(results, tmp_path / "reel.gif", RULE)
    with open_source(source) as still_there:
        assert still_there.info.width == 64


def test_pictures_are_letterboxed_whole():
    picture = np.full((20, 80, 3), 200, np.uint8)
    boxed = letterboxed(picture, (40, 40))
    assert boxed.shape == (40, 40, 3)
    assert (boxed[15:25] == 200).all()
    assert not boxed[:14].any()
    tall = letterboxed(np.full((50, 10, 3), 9, np.uint8), (21, 11))
    assert tall.shape == (11, 21, 3)
