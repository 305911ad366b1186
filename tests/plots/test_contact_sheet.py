"""Contact sheets show the pictures that they were given."""

import numpy as np
import pytest
from matplotlib.image import AxesImage
from PIL import Image

from bgsub.plots.contact_sheet import SheetRow, sheet_figure
from bgsub.plots.figures import save_figure


def sheet(rng, grey=False):
    shape = (30, 40) if grey else (30, 40, 3)
    rows = [
        ("kind 0", "60.0%\nhorizontal edges +1.5 sd", (0.2, 0.4, 0.7), 5),
        ("kind 1", "40.0%", (0.9, 0.5, 0.2), 2),
        ("unusual", "", "#d1121f", 3),
    ]
    return [
        SheetRow(title, details, colour, [rng.integers(0, 256, shape, np.uint8) for _ in range(n)], ["1.00 s"] * n)
        for title, details, colour, n in rows
    ]


@pytest.mark.parametrize("grey", [False, True])
def test_a_sheet_shows_the_pictures(grey):
    rows = sheet(np.random.default_rng(1), grey)
    shown = [axes for axes in sheet_figure(rows).axes if axes.images]
    pictures = [picture for row in rows for picture in row.pictures]
    assert len(shown) == len(pictures) == 10
    for axes, picture in zip(shown, pictures, strict=True):
        (image,) = axes.images
        assert isinstance(image, AxesImage)
        assert np.array_equal(image.get_array(), picture if grey else picture[:, :, ::-1])
        assert axes.get_xlabel() == "1.00 s"


def test_a_sheet_names_its_rows_and_nothing_overlaps(tmp_path):
    rows = sheet(np.random.default_rng(1))
    figure = sheet_figure(rows)
    texts = [text.get_text() for axes in figure.axes if not axes.images for text in axes.texts]
    assert texts == [text for row in rows for text in (row.title, row.details)]
    labels = [text.get_window_extent() for axes in figure.axes for text in axes.texts]
    assert max(label.x1 for label in labels) < min(axes.get_window_extent().x0 for axes in figure.axes if axes.images)
    save_figure(figure, tmp_path / "s.png")
    with Image.open(tmp_path / "s.png") as picture:
        assert picture.width == 1440
    boxes = [axes.get_tightbbox() for axes in figure.axes if axes.images]
    for i, box in enumerate(boxes):
        assert box.y0 >= 0 and box.x1 <= figure.bbox.width
        for other in boxes[:i]:
            assert not (box.shrunk(0.97, 0.97).overlaps(other.shrunk(0.97, 0.97)))


def test_a_sheet_frames_what_moves():
    picture = np.full((30, 40, 3), 90, np.uint8)
    boxes = [np.array([[0, 0, 10, 5], [20, 8, 4, 4]]), np.empty((0, 4), int)]
    row = SheetRow("kind 0", "", "#0072b2", [picture, picture], ["a", "b"], boxes)
    first, second = [axes for axes in sheet_figure([row]).axes if axes.images]
    assert [(*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in first.patches[::2]] == [
        (-0.5, -0.5, 10, 5),
        (19.5, 7.5, 4, 4),
    ]
    assert len(first.patches) == 4 and not second.patches  # white within black
