"""`bgsub cluster frames`: the scenes of known videos, every output re-opened, interruption, and what is refused."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pyarrow.csv
import pyarrow.parquet
import pytest
from PIL import Image

from bgsub.cli.options import Seconds
from bgsub.features.collecting import FEATURES, FeatureCollector
from tests.cli.clips import files_in, scene, write_clip, write_sound

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).resolve().parents[2] / "sample_videos"
CHANGE, STRANGE = 30, 47  # frames at which the light goes on, and at which the picture is broken


def rooms():
    """A dark room, a bright one from frame `CHANGE` on, and one frame like no other."""
    dark = scene(CHANGE, leaves=0)
    bright = [np.clip(image.astype(int) * 2 - 60, 0, 255).astype(np.uint8) for image in scene(70, leaves=0)]
    images = [(image * 0.4).astype(np.uint8) for image in dark] + bright[CHANGE:]
    images[STRANGE] = np.full_like(images[0], (0, 0, 255))
    return images


@pytest.fixture
def film(workplace):
    return write_clip("film.mkv", rooms())


def said(outcome):
    """What stderr says, but for kernels that a first run compiles."""
    return [line for line in outcome.err.splitlines() if not line.startswith("preparing ")]


def facts_of(bgsub, *arguments, code=0):
    outcome = bgsub("cluster", "frames", *arguments, "--json")
    assert outcome.code == code, outcome.err
    return json.loads(outcome.out)


def table(path):
    read = pyarrow.csv.read_csv(path) if str(path).endswith(".csv") else pyarrow.parquet.read_table(path)
    return {name: column.to_numpy() for name, column in zip(read.column_names, read.columns, strict=True)}


# ------------------------------------------------------------------------------------------------ known videos


def test_the_lamps_of_a_room(bgsub, workplace):
    """Dark, desk lamp at 3 s, ceiling light at 5 s, off at 12 s: every switch begins a kind, no other light does."""
    facts = facts_of(bgsub, SAMPLES / "light_switch.mp4", "--model", "m.bgsub")
    assert facts["frames"] == 280

    def label_at(time):
        (found,) = [part["label"] for part in facts["segments"] if part["start"] <= time < part["end"]]
        return found

    dark, desk, ceiling = label_at(1.0), label_at(4.5), label_at(9.0)
    assert len({dark, desk, ceiling}) == 3
    assert label_at(13.5) != ceiling
    starts = [part["start"] for part in facts["segments"]]
    for switched in (3.0, 5.0, 12.0):
        assert min(abs(start - switched) for start in starts) <= 0.3  # the model needs frames to believe in a lamp
    assert not [start for start in starts if 0.1 < start < 2.9]
    brightness = [kind["mean"]["brightness"] for kind in facts["kinds"]]
    for start in starts:  # somebody who comes or goes may make a kind, of the same light
        if 7.0 < start < 11.9:
            assert brightness[label_at(start)] == pytest.approx(brightness[ceiling], abs=1)
    moments = [moment["time"] for moment in facts["unusual"]]
    assert min(abs(moment - 12.05) for moment in moments) <= 0.05
    assert brightness[dark] < brightness[desk] < brightness[ceiling]


def test_kinds_change_time_and_the_strange_frame(bgsub, film):
    facts = facts_of(bgsub, film)
    assert any(part["start"] == pytest.approx(CHANGE / 25, abs=1e-3) for part in facts["segments"])
    first, last = facts["segments"][0], facts["segments"][-1]
    dark, bright = (facts["kinds"][part["label"]]["mean"]["brightness"] for part in (first, last))
    assert dark < bright - 20
    assert first["end"] == pytest.approx(CHANGE / 25, abs=1e-3)
    assert facts["unusual"][0]["frame"] == STRANGE
    assert facts["unusual"][0]["time"] == pytest.approx(STRANGE / 25, abs=1e-3)
    shares = [kind["share"] for kind in facts["kinds"]]
    assert shares == sorted(shares, reverse=True) and sum(shares) == pytest.approx(1)
    assert sum(kind["seconds"] for kind in facts["kinds"]) == pytest.approx(70 / 25, abs=2e-3)
    assert last["end"] == pytest.approx(70 / 25, abs=2e-3)
    for kind in facts["kinds"]:
        assert kind["frames"] > 1
        assert STRANGE not in kind["typical_frames"]


def test_the_first_frame_is_not_unusual_because_nothing_is_known_yet(bgsub, workplace):
    """An object that comes again and again is in the first frame, too, and counted there as anywhere."""
    clip = write_clip("film.mkv", scene(120))
    facts = facts_of(bgsub, clip, "--features-only", "f.csv")
    assert facts["frames"] == 120
    objects = table("f.csv")["objects"]
    assert objects[0] == np.median(objects) == 1
    assert 0 not in [moment["frame"] for moment in facts_of(bgsub, clip, "--model", "m.bgsub")["unusual"]]


# ----------------------------------------------------------------------------------------------------- outputs


def test_default_outputs(bgsub, film, workplace):
    for number in ("", "-2"):
        outcome = bgsub("cluster", "frames", film)
        assert outcome.code == 0, outcome.err
        assert outcome.out.splitlines()[-2:] == [
            f"  wrote film.timeline{number}.png",
            f"  wrote film.scenes{number}.png",
        ]
    assert files_in(workplace) == sorted(
        ["film.mkv", *(f"film.{name}{number}.png" for name in ("scenes", "timeline") for number in ("", "-2"))]
    )
    for name in ("film.timeline.png", "film.scenes.png"):
        with Image.open(name) as picture:
            assert picture.width > 1000
    with Image.open("film.scenes.png") as sheet:
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    assert (np.abs(pixels - (255, 0, 0)).max(axis=2) < 3).sum() > 10_000  # the strange frame is shown


def test_printed_summary(bgsub, film):
    outcome = bgsub("cluster", "frames", film, "--model", "m.bgsub", "--components", 2)
    heading, first, second, _, unusual, wrote = outcome.out.splitlines()
    assert heading.split()[:3] == ["kind", "share", "seconds"]
    assert re.match(r" +0  5[567]\.\d%     1\.\d\d  0:00:01\.20 ", first)
    assert re.match(r" +1  4[234]\.\d%     1\.\d\d  0:00:00\.00 ", second)
    assert "brightness +" in first or "light +" in first or "white +" in first or "dark -" in first
    assert re.match(r"done: 70 frames of film.mkv, the most unusual at 0:00:01\.88, 0:00:", unusual)
    assert wrote == "  wrote m.bgsub"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rows_features_and_model_agree(bgsub, film, suffix):
    """What `predict` says of the table of features is what `frames` has written itself."""
    facts = facts_of(bgsub, film, "--output", f"rows{suffix}", "--model", "m.bgsub")
    assert facts["outputs"] == [f"rows{suffix}", "m.bgsub"]
    rows = table(f"rows{suffix}")
    k = len(facts["kinds"])
    assert list(rows) == ["frame", "time", "label", *(f"probability_{i}" for i in range(k)), "log_density"]
    assert rows["frame"].tolist() == list(range(70))
    assert np.allclose(rows["time"], np.arange(70) / 25, atol=6e-4)
    assert np.bincount(rows["label"]).tolist() == [kind["frames"] for kind in facts["kinds"]]
    assert rows["log_density"].argmin() == STRANGE

    features = facts_of(bgsub, film, "--features-only", f"features{suffix}")
    assert (features["frames"], features["outputs"], "kinds" in features) == (70, [f"features{suffix}"], False)
    assert list(table(f"features{suffix}")) == ["frame", "time", *FEATURES]
    outcome = bgsub("cluster", "predict", "m.bgsub", f"features{suffix}", "--output", f"again{suffix}")
    assert outcome.code == 0, outcome.err
    again = table(f"again{suffix}")
    assert np.array_equal(again["label"], rows["label"])
    for name in list(rows)[3:]:
        assert np.allclose(again[name], rows[name], atol=1e-9)


def test_features_feed_cluster_fit(bgsub, film):
    facts_of(bgsub, film, "--features-only", "f.parquet")
    columns = "brightness,contrast,medium"
    outcome = bgsub("cluster", "fit", "f.parquet", "--columns", columns, "--scale", "--components", 3, "--json")
    assert outcome.code == 0, outcome.err
    assert sorted(part["rows"] for part in json.loads(outcome.out)["components"]) == [1, 30, 39]


def test_table_on_stdout(bgsub, film):
    outcome = bgsub("cluster", "frames", film, "--features-only", "-")
    lines = outcome.out.splitlines()
    assert len(lines) == 71
    assert lines[0].replace('"', "").split(",") == ["frame", "time", *FEATURES]
    assert said(outcome) == [f"done: 70 frames of {film}, {len(FEATURES)} features each"]


# ------------------------------------------------------------------------------------------------------- input


def test_selection_of_frames(bgsub, film):
    facts_of(bgsub, film, "--features-only", "f.csv", "--start", "0.4", "--duration", "1", "--every", 3)
    rows = table("f.csv")
    assert rows["frame"].tolist() == [12, 15, 18, 21, 24, 27, 30, 33]
    assert np.allclose(rows["time"], rows["frame"] / 25, atol=6e-4)


def test_sheet_of_a_part_shows_the_right_frames(bgsub, film, monkeypatch):
    shown = {}
    monkeypatch.setattr("bgsub.cli.cluster.scene_report.sheet_figure", lambda rows: shown.update(rows=rows))
    monkeypatch.setattr("bgsub.cli.cluster.scene_report.save_figure", lambda figure, path, **_: None)
    facts_of(bgsub, film, "--sheet", "s.png", "--start", "0.4", "--every", 2, "--components", 2)
    images = rooms()
    count = 0
    for row in shown["rows"]:
        for picture, caption in zip(row.pictures, row.captions, strict=True):
            index = round(Seconds().convert(caption, None, None) * 25)
            assert index >= 10 and index % 2 == 0
            assert np.array_equal(picture, images[index])
            count += 1
    assert count >= 10


def test_a_folder_of_grey_images(bgsub, workplace):
    (workplace / "shots").mkdir()
    for index, image in enumerate(rooms()):
        cv2.imwrite(f"shots/in{index + 1:06d}.png", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    facts = facts_of(bgsub, "shots", "--fps", 10)
    assert facts["outputs"] == ["shots.timeline.png", "shots.scenes.png"]
    assert any(part["start"] == pytest.approx(CHANGE / 10) for part in facts["segments"])


def test_threads_and_seed_do_not_change_what_is_found(bgsub, film):
    first = facts_of(bgsub, film, "--model", "a.bgsub", "--threads", 1, "--seed", 1)
    second = facts_of(bgsub, film, "--model", "b.bgsub", "--threads", 2, "--seed", 1)
    assert first["segments"] == second["segments"]
    assert first["unusual"] == second["unusual"]


# ------------------------------------------------------------------------------------------------ interruption


@pytest.fixture
def interrupted_after(monkeypatch):
    """Make Ctrl-C come with a frame."""

    def set_frame(n):
        write = FeatureCollector.write

        def impatient(self, frame, mask):
            if frame.index == n:
                raise KeyboardInterrupt
            write(self, frame, mask)

        monkeypatch.setattr(FeatureCollector, "write", impatient)

    return set_frame


def test_interrupted_reading_is_sorted_as_far_as_it_went(bgsub, film, interrupted_after):
    interrupted_after(45)
    facts = facts_of(bgsub, film, "--output", "rows.csv", "--sheet", "s.png", code=130)
    assert (facts["result"], facts["frames"]) == ("interrupted", 45)
    assert table("rows.csv")["frame"].tolist() == list(range(45))
    with Image.open("s.png") as sheet:
        assert sheet.width > 1000


@pytest.mark.parametrize("frame", [0, 1])
def test_interrupted_at_once_leaves_nothing(bgsub, film, interrupted_after, workplace, frame):
    interrupted_after(frame)
    outcome = bgsub("cluster", "frames", film)
    assert outcome.code == 130
    assert files_in(workplace) == ["film.mkv"]
    assert "Traceback" not in outcome.err


# ------------------------------------------------------------------------------------------------------ errors


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing.mp4"], 1, r"cannot open nothing\.mp4: no such file or folder; check the path"),
        (["sound.wav"], 1, r"cannot open sound\.wav: .*"),
        (["one.png"], 1, r"1 frame is too few: give 2 or more"),
        (
            ["film.mkv", "--duration", "0.2", "--components", "9"],
            1,
            r"5 frames are too few for 9 kinds .*: give 9 or more",
        ),
        (["film.mkv", "--start", "90"], 1, r"no frame of .*film\.mkv was selected: .*"),
        (["film.mkv", "--end", "1", "--duration", "1"], 2, r".*exclude each other; give one of them"),
        (["film.mkv", "--sheet", "one.png"], 1, r"one\.png exists; pass --overwrite or choose another name"),
        (["film.mkv", "--sheet", "s.gif"], 1, r"cannot write s\.gif: its extension is not one of \.png, .*"),
        (["film.mkv", "--output", "s.npy"], 1, r"cannot write s\.npy: its extension is not one of \.csv, .*"),
        (["film.mkv", "--sheet", "a.png", "--timeline", "a.png"], 2, r"two outputs are named a\.png: .*"),
        (["film.mkv", "--timeline", "no/where.png"], 1, r"cannot write no/where\.png: there is no folder no; .*"),
        (["film.mkv", "--model", "film.mkv", "--overwrite"], 1, r"cannot write film\.mkv: .*"),
    ],
)
def test_what_is_refused(bgsub, film, workplace, arguments, code, message):
    write_sound("sound.wav")
    cv2.imwrite("one.png", rooms()[0])
    before = files_in(workplace)
    outcome = bgsub("cluster", "frames", *arguments)
    assert re.fullmatch(f"Error: {message}", outcome.error), outcome.error
    assert outcome.code == code
    assert files_in(workplace) == before


@pytest.mark.parametrize(
    "arguments", [["--components", "0"], ["--components", "101"], ["--blur", "0"], ["--covariance", "round"]]
)
def test_out_of_bounds(bgsub, film, arguments):
    outcome = bgsub("cluster", "frames", film, *arguments)
    assert outcome.code == 2
    assert f"Invalid value for '{arguments[0]}'" in outcome.err


@pytest.mark.parametrize("other", [["--sheet", "s.png"], ["--components", "3"], ["--output", "-"]])
def test_features_only_stands_alone(bgsub, film, other):
    outcome = bgsub("cluster", "frames", film, "--features-only", "f.csv", *other)
    assert outcome.code == 2
    assert "--features-only sorts nothing: leave out the other outputs and --components" in outcome.err


def test_a_still_video_is_one_kind(bgsub, workplace):
    clip = write_clip("still.mkv", [np.full((48, 64, 3), 90, np.uint8)] * 30)
    outcome = bgsub("cluster", "frames", clip, "--json")
    assert (outcome.code, said(outcome)) == (0, [])
    facts = json.loads(outcome.out)
    assert [(part["start"], part["label"]) for part in facts["segments"]] == [(0.0, 0)]
    assert facts["kinds"][0]["stands_out_by"] == {}


def test_a_pipe_has_no_sheet(bgsub, film, monkeypatch):
    from bgsub.video.readers.prefetch import Prefetch

    init = Prefetch.__init__

    def once(self, *arguments):
        init(self, *arguments)
        self.repeatable = False

    monkeypatch.setattr(Prefetch, "__init__", once)
    assert facts_of(bgsub, film)["outputs"] == ["film.timeline.png"]
    outcome = bgsub("cluster", "frames", film, "--sheet", "s.png")
    assert outcome.error == "Error: film cannot be read twice, as --sheet needs: leave it out"


# ------------------------------------------------------------------------------------------------ several videos


def test_several_videos_are_tables_of_one_folder(bgsub, film):
    Path("rec").mkdir()
    write_clip("rec/other.mkv", scene(40))
    write_clip("rec/film.mkv", rooms())
    Path("rec/damaged.mp4").write_bytes(b"no video")
    outcome = bgsub("cluster", "frames", "rec", "--into", "out")
    assert outcome.code == 1
    assert outcome.error == "Error: cannot open rec/damaged.mp4: it is not a video that FFmpeg can read; check the file"
    assert outcome.out.splitlines()[-1] == "3 inputs: 1 failed, 2 done; results in out/"
    Path("rec/damaged.mp4").unlink()
    outcome = bgsub("cluster", "frames", "rec", "--into", "out")
    assert outcome.code == 0
    *_, counted, why, command = outcome.out.splitlines()
    assert counted == "2 inputs: 2 done before; results in out/"
    assert why.startswith("An embedding is left out, since its axes would be others in each video.")
    facts_of(bgsub, film, "--features-only", "alone.csv")
    alone, together = table("alone.csv"), table("out/film.features.parquet")
    assert list(together) == ["video", *(name for name in alone if not name.startswith("embedding"))]
    assert all(np.allclose(together[name], alone[name], atol=1e-9) for name in list(together)[1:])
    assert command.split()[:4] == ["bgsub", "cluster", "fit", "out"]
    arguments = command.replace("frame,time", "frame,time,objects_apart").split()[1:]  # no two objects in any frame
    fitted = bgsub(*arguments, "--json")
    assert fitted.code == 0, fitted.err
    assert sum(part["rows"] for part in json.loads(fitted.out)["components"]) == 110


@pytest.mark.parametrize("named", [["--sheet", "s.png"], ["--features-only", "f.csv"], ["--components", "3"]])
def test_of_several_videos_nothing_is_sorted(bgsub, film, named):
    outcome = bgsub("cluster", "frames", film, film, "--into", "out", *named)
    assert outcome.code == 2
    assert f"of several videos there are tables of features alone: leave out {named[0]}" in outcome.err
    assert not Path("out").exists()
