"""Features gathered from a run are those of each frame by itself."""

import numpy as np
import pytest

from bgsub.background.mog2.model import MOG2
from bgsub.features import collecting
from bgsub.features.appearance import APPEARANCE, appearance
from bgsub.features.collecting import EMBEDDING, FEATURES, FeatureCollector
from bgsub.features.movement import MOVEMENT, movement, movement_and_boxes
from bgsub.features.thumbnails import Thumbnails
from bgsub.pipeline import run
from bgsub.video.frame import Frame
from bgsub.video.opening import open_source
from tests.cli.clips import FPS, masks_of, scene, write_clip


def test_features_of_a_run(tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "_BLOCK", 8)  # 30 frames are several blocks
    images = scene(30)
    clip = write_clip(tmp_path / "clip.mkv", images)
    with open_source(clip) as source, FeatureCollector() as collector:
        run(source, MOG2(), [collector])
        features = collector.features()
    assert len(features) == 30
    assert features.indices.tolist() == list(range(30))
    assert np.allclose(features.times, np.arange(30) / FPS, atol=6e-4)
    assert features.values.shape == (30, len(FEATURES))
    assert np.array_equal(features.values[:, : len(APPEARANCE)], [appearance(image) for image in images])
    moving = np.array([movement(mask) for mask in masks_of(images)])
    assert moving.any()
    assert np.array_equal(features.values[:, len(APPEARANCE) : -len(EMBEDDING)], moving)
    assert np.array_equal(features.boxes, [movement_and_boxes(mask)[1] for mask in masks_of(images)])
    assert np.array_equal(features["foreground"], moving[:, MOVEMENT.index("foreground")])
    with Thumbnails() as store:
        for image in images:
            store.add(image)
        assert np.array_equal(features.values[:, -len(EMBEDDING) :], store.embedding(len(EMBEDDING)))


@pytest.mark.parametrize(("dtype", "low", "step"), [(np.uint16, 29_000, 3), (np.float32, 295.0, 0.02)])
def test_frames_of_more_than_8_bits_are_described_by_the_values_in_use(dtype, low, step):
    """As of a thermal camera: of the type's range they would be one grey, or no number."""
    grey = [image[..., 1] for image in scene(12)]
    deep = [(low + step * image.astype(float)).astype(dtype) for image in grey]
    seen = []
    for images in (grey, deep):
        with FeatureCollector() as collector:
            for index, image in enumerate(images):
                collector.write(Frame(index, index / 25, image), np.zeros(image.shape, np.uint8))
            seen.append(collector.features())
    for name in ("brightness", "contrast"):
        assert seen[1][name].std() > 0.2 * seen[0][name].std()
        assert np.corrcoef(seen[0][name], seen[1][name])[0, 1] > 0.9
    assert np.abs(np.corrcoef(seen[0]["embedding_0"], seen[1]["embedding_0"])[0, 1]) > 0.9


def test_no_frame():
    with FeatureCollector() as collector:
        features = collector.features()
    assert (len(features), features.values.shape) == (0, (0, len(FEATURES)))


def test_what_is_kept_of_a_frame_does_not_depend_on_its_size():
    collector = FeatureCollector()
    with collector:
        for index in range(3):
            collector.write(Frame(index, index / 25, np.zeros((480, 640, 3), np.uint8)), np.zeros((480, 640), np.uint8))
        kept = sum(block.nbytes for block in [*collector._blocks, *collector._boxes]) / collecting._BLOCK
    assert kept < 256
    assert len(set(FEATURES)) == len(FEATURES)
