"""What moves: known masks, by hand."""

import numpy as np
import pytest

from bgsub.features.movement import BOXES, MOVEMENT, movement, movement_and_boxes


def named(mask):
    return dict(zip(MOVEMENT, movement(mask), strict=True))


def mask_of(*boxes, shape=(100, 200), value=255):
    mask = np.zeros(shape, np.uint8)
    for top, left, height, width in boxes:
        mask[top : top + height, left : left + width] = value
    return mask


def test_two_objects():
    found = named(mask_of((10, 20, 10, 20), (60, 140, 20, 40)))
    assert found["objects"] == 2
    assert found["foreground"] == pytest.approx(5.0, abs=0.2)  # opening rounds corners off
    assert found["largest_object"] == pytest.approx(4.0, abs=0.1)
    assert found["mean_object"] == pytest.approx(2.5, abs=0.1)
    centres = np.array([[29.5, 14.5], [159.5, 69.5]])
    apart = np.sqrt(((centres - centres.mean(axis=0)) ** 2).sum(axis=1).mean()) * 100 / np.hypot(100, 200)
    assert found["objects_apart"] == pytest.approx(apart, rel=1e-3)


@pytest.mark.parametrize(
    "mask",
    [mask_of(), mask_of((0, 0, 100, 200), value=127), mask_of((5, 5, 2, 60)), mask_of((50, 50, 3, 3))],
    ids=["nothing", "shadow", "a thin line", "a speck"],
)
def test_nothing_moves(mask):
    assert not movement(mask).any()


def test_size_does_not_count():
    small = mask_of((10, 20, 20, 20), (60, 140, 20, 40))
    large = np.kron(small, np.ones((3, 3), np.uint8))
    assert np.allclose(movement(large), movement(small), atol=0.2)
    assert not np.shares_memory(small, large) and small.max() == 255  # the mask itself stays as it is


def test_where_the_largest_objects_are():
    objects = [(5 + 10 * (i % 9), 5 + 16 * i, 4 + i // 2, 6) for i in range(10)]
    mask = mask_of(*objects)
    numbers, boxes = movement_and_boxes(mask)
    assert numbers[MOVEMENT.index("objects")] == 10 and np.array_equal(numbers, movement(mask))
    assert boxes.shape == (BOXES, 4) and boxes.dtype == np.uint16
    expected = sorted(((left, top, 6, height) for top, left, height, _ in objects), key=lambda box: -box[3])
    assert {tuple(box) for box in boxes.tolist()} == set(expected[:BOXES])
    assert boxes[0, 3] == boxes[:, 3].max()
    assert not movement_and_boxes(mask_of())[1].any()
    one = movement_and_boxes(mask_of((10, 20, 30, 40)))[1]
    assert one[0].tolist() == [20, 10, 40, 30] and not one[1:].any()
