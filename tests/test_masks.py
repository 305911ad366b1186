"""The values of a mask, as OpenCV has them, and the share of it that moves."""

import cv2
import numpy as np

from bgsub.masks import BACKGROUND, FOREGROUND, SHADOW, foreground_share


def test_the_values_are_opencv_s():
    model = cv2.createBackgroundSubtractorMOG2(detectShadows=True)
    ground = np.random.default_rng(0).integers(100, 200, (40, 60, 3)).astype(np.uint8)
    for _ in range(30):
        model.apply(ground)
    seen = ground.copy()
    seen[:10] = seen[:10] * 0.7
    seen[20:30] = 255 - seen[20:30]
    mask = model.apply(seen)
    found = [int(np.median(mask[rows])) for rows in (slice(10, 20), slice(0, 10), slice(20, 30))]
    assert found == [BACKGROUND, SHADOW, FOREGROUND]


def test_only_the_foreground_has_a_share():
    mask = np.array([[0, 127, 255, 254], [255, 1, 0, 255]], np.uint8)
    assert foreground_share(mask) == 3 / 8
    assert foreground_share(np.full((3, 3), SHADOW, np.uint8)) == 0
