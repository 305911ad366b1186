"""Real recordings: masks equal OpenCV's in every pixel; skipped where they are not at hand."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub import MOG2
from bgsub.video.opening import open_source

pytestmark = pytest.mark.slow  # whole videos


@pytest.mark.parametrize("name", ["traffic_camera.mp4", "vtest.avi"])
def test_masks_are_those_of_opencv(name):
    folder = os.environ.get("BGSUB_DATA")
    if not folder:
        pytest.skip("set BGSUB_DATA to the folder of real footage to run this test")
    model, twin = MOG2(), cv2.createBackgroundSubtractorMOG2()
    values = np.zeros(256, int)
    with open_source(Path(folder) / "video" / name) as source:
        for frame in source:
            mask = model.apply(frame.image)
            assert np.count_nonzero(mask != twin.apply(frame.image)) == 0, f"frame {frame.index}"
            values += np.bincount(mask.ravel(), minlength=256)
            if frame.index == 59:
                break
    assert model.n_frames == 60
    assert (values[[0, 127, 255]] > 10_000).all()
