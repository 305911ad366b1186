"""Blobs: areas, boxes and centres of the connected pieces of a mask."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bgsub.motion.blobs import find_blobs, least_area


def labelled(mask: np.ndarray) -> list[tuple[tuple[int, int, int, int], float]]:
    """Return box and area of each component, by numbering the pixels."""
    n, _, stats, _ = cv2.connectedComponentsWithStats((mask == 255).astype(np.uint8), connectivity=8)
    return [((*map(int, stats[i, :4]),), float(stats[i, 4])) for i in range(1, n)]


def noise(seed: int, sigma: float, level: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    field = rng.random((61, 83)).astype(np.float32)
    return np.where((cv2.GaussianBlur(field, (0, 0), sigma) if sigma else field) > level, 255, 0).astype(np.uint8)


@pytest.mark.parametrize("sigma", [0, 0.5, 1, 2])
@pytest.mark.parametrize("level", [0.45, 0.5, 0.55])
def test_areas_and_boxes_are_those_of_numbered_pixels(sigma: float, level: float) -> None:
    """Holes, objects within holes, pixels that touch at corners, and the picture's border included."""
    for seed in range(5):
        mask = noise(seed, sigma, level)
        blobs = find_blobs(mask)
        assert sorted((blob.box, blob.area) for blob in blobs) == sorted(labelled(mask))
        assert [blob.area for blob in blobs] == sorted((blob.area for blob in blobs), reverse=True)


@pytest.mark.parametrize("least", [1, 2, 3, 5, 9, 40])
def test_small_ones_are_left_out_and_no_others(least: int) -> None:
    mask = noise(7, 1, 0.5)
    kept = [(box, area) for box, area in labelled(mask) if area >= least]
    assert sorted((blob.box, blob.area) for blob in find_blobs(mask, min_area=least)) == sorted(kept)


@pytest.mark.parametrize("half", range(1, 12))
def test_the_shape_with_the_shortest_outline_is_found(half: int) -> None:
    """A diamond encloses most with the fewest pixels along its outline."""
    y, x = np.mgrid[: 2 * half + 1, : 2 * half + 1]
    diamond = np.where(abs(x - half) + abs(y - half) <= half, 255, 0).astype(np.uint8)
    area = int(np.count_nonzero(diamond))
    (blob,) = find_blobs(np.pad(diamond, 2), min_area=area)
    assert (blob.area, blob.center) == (area, (half + 2, half + 2))


def test_a_blob_is_told_in_pixels_of_the_source() -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[4:8, 10:16] = 255
    mask[12:15, 3:9] = 127  # a shadow
    (blob,) = find_blobs(mask, factor=4, evidence=0.7)
    assert blob.box == (40, 16, 24, 16)
    assert blob.area == 24 * 16
    assert blob.center == pytest.approx((51.5, 23.5))
    assert blob.evidence == 0.7


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_lines_and_single_pixels_have_a_centre(shape: tuple[int, int]) -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[5 : 5 + shape[0], 6 : 6 + shape[1]] = 255
    (blob,) = find_blobs(mask)
    assert blob.area == shape[0] * shape[1]
    assert blob.center == (6 + (shape[1] - 1) / 2, 5 + (shape[0] - 1) / 2)


def test_a_picture_of_a_single_pixel_has_at_most_one_blob() -> None:
    assert [blob.box for blob in find_blobs(np.array([[255]], np.uint8))] == [(0, 0, 1, 1)]
    assert not find_blobs(np.array([[127]], np.uint8))


def test_evidence_is_the_mean_over_a_blobs_own_pixels() -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[2:12, 2:12] = 255
    mask[4:10, 4:10] = 0
    mask[6:8, 6:8] = 255  # within the first one's hole
    probability = np.zeros(mask.shape, np.float32)
    probability[mask == 255] = 0.5
    probability[6:8, 6:8] = 0.9
    outer, inner = find_blobs(mask, probability)
    assert (outer.area, inner.area) == (64, 4)
    assert (outer.evidence, inner.evidence) == pytest.approx((0.5, 0.9))


def test_an_empty_mask_has_no_blobs() -> None:
    assert find_blobs(np.zeros((9, 9), np.uint8)) == ()
    assert find_blobs(np.full((9, 9), 127, np.uint8), np.zeros((9, 9), np.float32)) == ()


def test_the_least_area_follows_the_picture() -> None:
    assert least_area((320, 200)) == 8.0
    assert least_area((1920, 1080)) == pytest.approx(259.2)
