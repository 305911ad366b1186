"""The sample videos that come with the project, and the script that draws them."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import av
import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.slow  # reads and draws whole clips

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "sample_videos"
NAMES = sorted(path.name.removesuffix(".truth.mkv") for path in FOLDER.glob("*.truth.mkv"))
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


@pytest.fixture(scope="module", params=NAMES)
def clip(request: pytest.FixtureRequest) -> Clip:
    """Every sample video in turn, decoded once for all tests of it."""
    name = request.param
    return Clip(name, *decode(FOLDER / f"{name}.mp4"), *decode(FOLDER / f"{name}.truth.mkv"))


def test_every_clip_of_the_script_lies_in_the_folder(scenes: ModuleType) -> None:
    assert sorted(scenes.CLIPS) == NAMES
    assert len(NAMES) >= 8


def test_the_folder_stays_small() -> None:
    clips = [path for path in FOLDER.iterdir() if path.suffix in (".mp4", ".mkv")]
    assert sum(path.stat().st_size for path in clips) < 5_000_000


def test_picture_and_truth_belong_together(clip: Clip) -> None:
    assert len(clip.pictures) == len(clip.truths) >= 200
    assert clip.pictures.shape == clip.truths.shape
    # Matroska keeps whole milliseconds.
    np.testing.assert_allclose(clip.times, clip.truth_times, atol=1e-3)
    assert clip.times[0] == 0
    assert set(np.unique(clip.truths).tolist()) <= LABELS


def test_objects_take_a_sensible_share_of_the_view(clip: Clip) -> None:
    shares = (clip.truths == 255).mean(axis=(1, 2))
    assert 0.005 < shares[shares > 0].mean() < 0.15
    assert shares.max() < 0.2
    assert (shares > 0).mean() > 0.8
    start = shares[np.array(clip.times) < 1.0].mean()
    assert start > 0.01 if clip.name == "bootstrap" else start == 0


def test_what_is_labelled_moving_looks_unlike_the_empty_scene(clip: Clip) -> None:
    """A truth that is shifted in time or place would mark pixels like those of the empty scene."""
    if clip.name in ("bootstrap", "shake", "light_switch", "exposure"):
        pytest.skip("the scene is never empty, or is not the same later on")
    empty = np.median(clip.pictures[:20], axis=0)
    inside, outside = [], []
    for picture, truth in zip(clip.pictures[40::10], clip.truths[40::10], strict=True):
        change = np.abs(picture - empty)
        inside += change[truth == 255].tolist()
        ring = cv2.dilate((truth == 255).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        outside += change[ring & (truth == 0)].tolist()
    assert np.mean(inside) > 1.9 * np.mean(outside)


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
