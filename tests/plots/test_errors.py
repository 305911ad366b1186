"""The picture of a mask's errors: each kind in its colour."""

import numpy as np

from bgsub.plots.errors import LEGEND, error_picture


def test_every_kind_of_pixel():
    truth = np.array([[255, 255, 0, 0, 50, 50, 85, 85, 170, 170]], np.uint8)
    mask = np.array([[1, 0, 1, 0, 1, 0, 1, 0, 1, 0]], bool)
    kinds = ["found", "missed", "false alarm", "background", "false alarm in a shadow", "background"]
    kinds += ["does not count"] * 4
    picture = error_picture(truth, mask)
    assert (picture.shape, picture.dtype) == ((1, 10, 3), np.uint8)
    assert [f"#{r:02x}{g:02x}{b:02x}" for b, g, r in picture[0].tolist()] == [LEGEND[kind] for kind in kinds]
    assert len(set(LEGEND.values())) == len(LEGEND) == 6
