"""The picture of a mask's errors: each kind in its colour."""

import numpy as np

from bgsub.evaluation.protocol import KINDS, METRIC_NAMES, kinds_of_pixels
from bgsub.plots.mask_errors import LEGEND, error_picture
from bgsub.plots.scored import METRICS


def test_every_kind_of_pixel():
    truth = np.array([[255, 255, 0, 0, 50, 50, 85, 85, 170, 170]], np.uint8)
    mask = np.array([[1, 0, 1, 0, 1, 0, 1, 0, 1, 0]], bool)
    kinds = ["found", "missed", "false alarm", "background", "false alarm in a shadow", "background"]
    kinds += ["does not count"] * 4
    picture = error_picture(kinds_of_pixels(truth, mask))
    assert (picture.shape, picture.dtype) == ((1, 10, 3), np.uint8)
    assert [f"#{r:02x}{g:02x}{b:02x}" for b, g, r in picture[0].tolist()] == [LEGEND[kind] for kind in kinds]
    assert len(set(LEGEND.values())) == len(LEGEND) == 6


def test_pictures_and_protocol_speak_of_the_same_things():
    assert tuple(LEGEND) == KINDS
    assert METRICS == METRIC_NAMES
