"""The sample videos that come with the project, and the script that draws them."""

from __future__ import annotations

import importlib
import itertools
import re
import types
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import av
import cv2
import numpy as np
import pytest

from bgsub.evaluation.datasets import find_sequences

pytestmark = pytest.mark.slow  # reads and draws whole clips

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "sample_videos"
PATHS = {path.name.removesuffix(".truth.mkv"): path.parent for path in sorted(FOLDER.rglob("*.truth.mkv"))}
FROM_THE_START = ("bootstrap", "fog")  # people or cars are in view from the first frame on
LABELS = {0, 50, 170, 255}


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the scripts folder be imported from, as when a script of it runs."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))


@pytest.fixture
def scenes(scripts: None) -> ModuleType:
    return importlib.import_module("sample_scenes")


@pytest.fixture
def script(scripts: None) -> ModuleType:
    return importlib.import_module("make_sample_videos")


def decode(path: Path) -> tuple[np.ndarray, list[float]]:
    """Return all frames of a file in grey, ``(n, H, W)``, and their times in seconds."""
    with av.open(path) as container:
        frames = [(frame.to_ndarray(format="gray"), float(frame.time)) for frame in container.decode(video=0)]
    return np.array([image for image, _ in frames]), [time for _, time in frames]


class Clip(NamedTuple):
    name: str
    pictures: np.ndarray
    times: list[float]
    truths: np.ndarray
    truth_times: list[float]


@pytest.fixture(scope="module", params=sorted(PATHS))
def clip(request: pytest.FixtureRequest) -> Clip:
    """Every sample video in turn, decoded once for all tests of it."""
    name = request.param
    folder = PATHS[name]
    return Clip(name, *decode(folder / f"{name}.mp4"), *decode(folder / f"{name}.truth.mkv"))


def test_every_clip_of_the_script_lies_in_the_folder(scenes: ModuleType) -> None:
    assert {name: FOLDER / clip.folder for name, clip in scenes.CLIPS.items()} == PATHS
    assert len(PATHS) >= 8


def test_the_ten_that_are_averaged_stay_ten() -> None:
    """Tables give means over these; what lies in the folder apart counts in none of them."""
    ten = ["bootstrap", "exposure", "light_switch", "night", "rain", "room", "shake", "street", "trees", "water"]
    apart = ["fog", "grey", "office", "polished"]
    assert [sequence.key for sequence in find_sequences(FOLDER)] == [f"sample_videos/{name}" for name in ten]
    assert [sequence.key for sequence in find_sequences(FOLDER / "apart")] == [f"apart/{name}" for name in apart]


@pytest.mark.parametrize(("folder", "limit"), [("", 5_000_000), ("apart", 2_000_000)])
def test_the_folder_stays_small(folder: str, limit: int) -> None:
    clips = [path for path in (FOLDER / folder).iterdir() if path.suffix in (".mp4", ".mkv")]
    assert sum(path.stat().st_size for path in clips) < limit


def test_picture_and_truth_belong_together(clip: Clip) -> None:
    assert len(clip.pictures) == len(clip.truths) >= 200
    assert clip.pictures.shape == clip.truths.shape
    # Matroska keeps whole milliseconds.
    np.testing.assert_allclose(clip.times, clip.truth_times, atol=1e-3)
    assert clip.times[0] == 0
    assert set(np.flatnonzero(np.bincount(clip.truths.ravel())).tolist()) <= LABELS


def test_objects_take_a_sensible_share_of_the_view(clip: Clip) -> None:
    shares = (clip.truths == 255).mean(axis=(1, 2))
    assert 0.005 < shares[shares > 0].mean() < 0.15
    assert shares.max() < 0.2
    assert (shares > 0).mean() > 0.8
    start = shares[np.array(clip.times) < 1.0].mean()
    assert start > 0.01 if clip.name in FROM_THE_START else start == 0


def test_what_is_labelled_moving_looks_unlike_the_empty_scene(clip: Clip) -> None:
    """A truth that is shifted in time or place would mark pixels like those of the empty scene."""
    if clip.name in (*FROM_THE_START, "shake", "light_switch", "exposure", "office"):
        pytest.skip("the scene is never empty, or is not the same later on")
    empty = np.median(clip.pictures[:20], axis=0)
    inside, outside = [], []
    for picture, truth in zip(clip.pictures[40::10], clip.truths[40::10], strict=True):
        change = np.abs(picture - empty)
        inside += change[truth == 255].tolist()
        ring = cv2.dilate((truth == 255).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        outside += change[ring & (truth == 0)].tolist()
    assert np.mean(inside) > 1.9 * np.mean(outside)


def chroma(path: Path) -> list[np.ndarray]:
    """Return the colour planes of every 70th frame."""
    with av.open(path) as container:
        frames = itertools.islice(container.decode(video=0), 0, None, 70)
        return [frame.to_ndarray(format="yuv420p")[frame.height :] for frame in frames]


def test_the_grey_camera_knows_no_colour() -> None:
    grey = np.array(chroma(FOLDER / "apart" / "grey.mp4"))
    assert len(grey) == 4 and set(np.unique(grey).tolist()) <= {127, 128}
    assert all(np.ptp(plane) == 0 for plane in grey)  # one hue all over: no noise of colour either
    assert np.ptp(chroma(FOLDER / "street.mp4")[0]) > 20


def test_the_office_s_camera_opens_up_and_its_wall_is_clipped_all_along() -> None:
    pictures, _ = decode(FOLDER / "apart" / "office.mp4")
    truths, _ = decode(FOLDER / "apart" / "office.truth.mkv")
    still = (truths == 0).all(axis=0)
    empty = np.median(pictures[:20], axis=0)
    clipped, plain = still & (empty >= 250), still & (empty > 40) & (empty < 150)
    assert clipped.mean() > 0.04
    change = [(np.median(picture[plain] / empty[plain]), np.median(picture[clipped])) for picture in pictures[20:]]
    opened, white = np.array(change).T
    assert opened.max() > 1.2 and opened[:5] == pytest.approx(1, abs=0.01)
    assert white.min() >= 250


def test_a_polished_floor_darkens_below_feet_but_is_labelled_static() -> None:
    """Of the pixels right below those of people more change than elsewhere on the floor, and none is labelled."""
    pictures, _ = decode(FOLDER / "apart" / "polished.mp4")
    truths, _ = decode(FOLDER / "apart" / "polished.truth.mkv")
    empty = np.median(pictures[:20], axis=0)
    below, beside = [], []
    for picture, truth in zip(pictures[40::10], truths[40::10], strict=True):
        change = np.abs(picture.astype(float) - empty)
        near = cv2.dilate((truth > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        shifted = np.zeros_like(near)
        shifted[40:] = (truth == 255)[:-40]
        below += change[shifted & ~near].tolist()
        beside += change[150:][~(shifted | near)[150:]].tolist()
    assert np.mean(below) > 1.5 * np.mean(beside)


def test_the_readme_describes_the_clip(clip: Clip) -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    count, height, width = clip.truths.shape
    fps = round(1 / clip.times[1])
    assert f"| `{clip.name}` | {width}×{height} | {fps} | {count} |" in text


def test_a_scene_is_drawn_the_same_every_time(scenes: ModuleType) -> None:
    build = scenes.CLIPS["bootstrap"].build
    first, second = build(0.3), build(0.3)
    for index in (0, 100, 101):
        picture, truth = first.frame(index)
        again, truth_again = second.frame(index)
        assert picture.tobytes() == again.tobytes()
        assert truth.tobytes() == truth_again.tobytes()
        assert set(np.unique(truth).tolist()) <= LABELS and (truth == 255).any()
    # Noise and people differ from frame to frame.
    assert (first.frame(100)[0] != first.frame(101)[0]).mean() > 0.3


def test_a_mirrored_camera_sees_a_point_where_the_ground_mirrors_it(scenes: ModuleType) -> None:
    geometry = importlib.import_module("sample_scenes.geometry")
    camera = geometry.Camera((0.4, -5.0, 3.0), (0.1, 6.0, 0.7), 200.0, 160, 120)
    mirrored = geometry.MirroredCamera.of(camera)
    points = np.random.default_rng(0).uniform((-2, 4, 0.1), (2, 9, 3), (20, 3))
    pixels, depths = mirrored.project(points)
    expected, expected_depths = camera.project(points * (1, 1, -1))
    np.testing.assert_allclose(pixels, expected, atol=1e-9)
    np.testing.assert_allclose(depths, expected_depths, atol=1e-9)
    floor = geometry.Surface((-9.0, -9.0, 0.0), (18.0, 0.0, 0.0), (0.0, 40.0, 0.0), lambda u, v: u, ground=True)
    rows = slice(80, None)  # both cameras' rays of one pixel meet the ground in one point
    hits = [floor.intersect(np.array(c.position), c.rays(1)[rows])[1:] for c in (camera, mirrored)]
    np.testing.assert_allclose(hits[0], hits[1], atol=1e-9)


def test_automatic_exposure_opens_up_for_what_is_dark_and_closes_again(scenes: ModuleType) -> None:
    metering = importlib.import_module("sample_scenes.metering")

    class Stage:
        def compose(self, time: float) -> object:
            light = np.full((24, 32, 3), 0.5, np.float32)
            light[:, 12:20] = 0.1 if 1 < time < 4 else 0.5
            return types.SimpleNamespace(light=light)

    exposure = metering.automatic(Stage(), 8.0, 1.2, strength=1.0, lag=0.3, most=1.4)
    gains = [exposure(time)[0] for time in (0.0, 0.9, 1.4, 3.9, 8.0)]
    assert gains[:2] == pytest.approx([1.2, 1.2])
    assert 1.25 < gains[2] < gains[3]
    assert gains[3] == pytest.approx(1.2 * 1.4, rel=0.01)  # no more than allowed
    assert gains[4] == pytest.approx(1.2, rel=0.01)


def test_the_camera_s_shake_moves_the_view_as_its_matrix_says(scenes: ModuleType) -> None:
    sensor = importlib.import_module("sample_scenes.sensor")
    sway = sensor.Shake(seed=3, shift=3.0, roll=0.0)
    wide = np.zeros((60 + 2 * sway.margin, 80 + 2 * sway.margin), np.float32)
    wide[40:50, 50:60] = 1
    moments = [sway.apply(cv2.GaussianBlur(wide, (0, 0), 1), [t], 80, 60) for t in (0.0, 0.7)]
    places = [np.array([(image.sum(axis) @ np.arange(image.shape[1 - axis])) for axis in (0, 1)]) for image in moments]
    shift = places[1] / moments[1].sum() - places[0] / moments[0].sum()
    expected = sway.matrix(0.0, 80, 60)[:, 2] - sway.matrix(0.7, 80, 60)[:, 2]
    np.testing.assert_allclose(shift, expected, atol=0.1)
    assert np.hypot(*expected) > 0.5


def test_the_sensor_s_noise_grows_with_the_light(scenes: ModuleType) -> None:
    sensor = importlib.import_module("sample_scenes.sensor").Sensor(seed=1, vignette=0.0, sharpen=0.0)
    spread = []
    for level in (0.02, 0.2):
        encoded = sensor.expose(np.full((64, 64, 3), level, np.float32), 0).astype(float) / 255
        linear = ((encoded + 0.055) / 1.055) ** 2.4
        assert linear.mean() == pytest.approx(level, rel=0.1)
        spread.append(linear.std())
    # Shot noise: ten times the light, about three times the noise.
    assert 2 < spread[1] / spread[0] < 4.5


def test_writing_keeps_labels_and_order(scripts: None, tmp_path: Path) -> None:
    encoding = importlib.import_module("sample_scenes.encoding")
    rng = np.random.default_rng(0)
    truths = [rng.choice([0, 50, 170, 255], (32, 48)).astype(np.uint8) for _ in range(7)]
    pictures = [np.full((32, 48, 3), 20 + 30 * i, np.uint8) for i in range(7)]
    count = encoding.write_clip(zip(pictures, truths, strict=True), tmp_path, "tiny", 20, (48, 32), 500)
    assert count == 7
    decoded, times = decode(tmp_path / "tiny.mp4")
    labels, truth_times = decode(tmp_path / "tiny.truth.mkv")
    np.testing.assert_array_equal(labels, truths)
    np.testing.assert_allclose(times, np.arange(7) / 20, atol=1e-3)
    np.testing.assert_allclose(truth_times, np.arange(7) / 20, atol=1e-3)
    np.testing.assert_allclose([image.mean() for image in decoded], 20 + 30 * np.arange(7), atol=4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.mp4", "tiny.truth.mkv"]


def test_help_shows_an_example_and_names_every_clip(
    script: ModuleType, scenes: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        script.main(["--help"])
    text = capsys.readouterr().out
    assert "example: python scripts/make_sample_videos.py" in text
    assert all(name in text for name in scenes.CLIPS)


def test_an_unknown_clip_is_refused(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        script.main(["--only", "desert"])
    assert re.search(r"invalid choice: '?desert", capsys.readouterr().err)


def test_a_picture_without_clips_says_what_to_do(
    script: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert script.main(["--picture", "--output", str(tmp_path)]) == 1
    assert "make all clips first" in caplog.text
