"""Thumbnails in a file give what all of them in memory would."""

import errno

import numpy as np
import pytest

from bgsub.errors import OutputError
from bgsub.features import thumbnails
from bgsub.features.thumbnails import Thumbnails, thumbnail

pytestmark = pytest.mark.slow


def pictures(count, seed=0):
    """Two lights over a noisy room."""
    rng = np.random.default_rng(seed)
    room, lamp = rng.integers(40, 120, (2, 48, 64, 1))
    for index in range(count):
        light = 0.5 + 0.4 * np.sin(index / 9)
        yield (light * room + (index % 50 > 25) * lamp + rng.integers(0, 9, (48, 64, 3))).clip(0, 255).astype(np.uint8)


def embedded(images, n_components=5):
    with Thumbnails() as store:
        for image in images:
            store.add(image)
        return store.embedding(n_components)


def test_embedding_is_that_of_all_frames_at_once():
    found = embedded(pictures(300))
    pixels = np.stack([thumbnail(image).ravel() for image in pictures(300)]).astype(float)
    centred = pixels - pixels.mean(axis=0)
    _, singular, axes = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ axes[:5].T / np.sqrt(768)
    assert found.shape == (300, 5)
    assert np.allclose(np.abs(found), np.abs(expected), atol=1e-8)  # either sign is right
    assert np.allclose(found.std(axis=0), singular[:5] / np.sqrt(300 * 768))


@pytest.mark.parametrize("portion", [1, 7, 1000])
def test_portions_do_not_count(monkeypatch, portion):
    expected = embedded(pictures(120))
    monkeypatch.setattr(thumbnails, "_PORTION", portion)
    found = embedded(pictures(120))
    assert np.allclose(found, expected, rtol=0, atol=1e-12)


def test_asking_in_between_changes_nothing():
    with Thumbnails() as store:
        for index, image in enumerate(pictures(40)):
            store.add(image)
            if index == 19:
                assert np.array_equal(store.embedding(3), embedded(list(pictures(40))[:20], 3))
        assert np.array_equal(store.embedding(3), embedded(pictures(40), 3))


@pytest.mark.parametrize("count", [1, 2, 30])
def test_frames_that_are_all_alike_lie_at_the_origin(count):
    assert not embedded([np.full((24, 32), 90, np.uint8)] * count).any()


def test_two_frames_have_one_component():
    found = embedded([np.zeros((24, 32), np.uint8), np.full((24, 32), 100, np.uint8)])
    assert np.allclose(np.abs(found[:, 0]), 50)  # grey levels from the mean
    assert not found[:, 1:].any()


def test_no_frame():
    assert embedded([]).shape == (0, 5)


def test_grey_of_16_bits():
    image = next(iter(pictures(1)))[:, :, 0]
    assert np.array_equal(thumbnail(image.astype(np.uint16) * 257), thumbnail(image))


def test_memory_does_not_grow(monkeypatch):
    monkeypatch.setattr(thumbnails, "_PORTION", 16)
    with Thumbnails() as store:
        for image in pictures(100):
            store.add(image)
            assert len(store._waiting) < 16
        assert store._file.tell() == 96 * 768


def test_a_full_disk_is_told(monkeypatch):
    class Full:
        def seek(self, *_): ...
        def close(self): ...
        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(thumbnails, "_PORTION", 2)
    with Thumbnails() as store:
        store._file.close()
        store._file = Full()
        store.add(np.zeros((24, 32), np.uint8))
        with pytest.raises(OutputError, match=r"^cannot keep thumbnails in \S+: No space left on device; make room"):
            store.add(np.zeros((24, 32), np.uint8))
