"""The picture of a palette has its colours, in proportion."""

import numpy as np
import pytest
from PIL import Image

from bgsub.plots.figures import save_figure
from bgsub.plots.swatches import contrast, ink_on, luminance, palette_figure

pytestmark = pytest.mark.slow

COLOURS = ["#203040", "#f0e0c0", "#c03020"]
SHARES = [0.6, 0.3, 0.1]


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def test_the_strip_is_in_proportion(tmp_path):
    save_figure(palette_figure(COLOURS, SHARES), tmp_path / "p.png")
    seen = pixels(tmp_path / "p.png")
    row = seen[int(0.15 * len(seen))]
    widths = [(np.abs(row - [int(c[i : i + 2], 16) for i in (1, 3, 5)]).max(axis=1) <= 1).sum() for c in COLOURS]
    assert np.allclose(np.array(widths) / sum(widths), SHARES, atol=0.01)


def test_every_colour_is_named(tmp_path):
    figure = palette_figure(COLOURS, SHARES)
    texts = [text.get_text() for text in figure.axes[1].texts]
    assert texts == ["#203040", "60.0%", "#f0e0c0", "30.0%", "#c03020", "10.0%"]
    inks = [text.get_color() for text in figure.axes[1].texts]
    assert inks == ["#ffffff", "#ffffff", "#000000", "#000000", "#ffffff", "#ffffff"]


@pytest.mark.parametrize("count", [1, 8, 9, 40])
def test_any_number_of_colours(tmp_path, count):
    colours = [f"#{40 + 5 * i:02x}{200 - 4 * i:02x}80" for i in range(count)]
    save_figure(palette_figure(colours, [1 / count] * count), tmp_path / "p.png")
    seen = pixels(tmp_path / "p.png").reshape(-1, 3)
    for i in range(count):
        assert (np.abs(seen - [40 + 5 * i, 200 - 4 * i, 0x80]).max(axis=1) <= 1).sum() > 1000


def test_luminance():
    assert luminance("#000000") == 0
    assert luminance("#ffffff") == pytest.approx(1)
    assert luminance("#00ff00") == pytest.approx(0.7152)
    assert luminance("#808080") == pytest.approx(0.21586, abs=1e-5)  # with the linear foot that sRGB has


def test_contrast_is_that_of_the_web():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#859359") == pytest.approx(3.3, abs=0.05)
    assert contrast("#859359", "#ffffff") == contrast("#ffffff", "#859359")


def test_every_name_can_be_read():
    grid = [f"#{r:02x}{g:02x}{b:02x}" for r in range(0, 256, 15) for g in range(0, 256, 15) for b in range(0, 256, 15)]
    assert min(contrast(colour, ink_on(colour)) for colour in grid) >= 4.5
    assert [ink_on(colour) for colour in ("#859359", "#8c9a80", "#837e4b", "#203040")] == ["#000000"] * 3 + ["#ffffff"]


def test_swatches_like_the_page_have_an_edge():
    figure = palette_figure(["#f8fefd", "#ffffff", "#203040"], [0.4, 0.4, 0.2])
    for axes in figure.axes:
        edges = {patch.get_facecolor(): patch.get_linewidth() for patch in axes.patches}
        assert [width > 0 for width in edges.values()] == [True, True, False]
