"""The picture of a palette has its colours, in proportion."""

import numpy as np
import pytest
from PIL import Image

from bgsub.plots.figures import save_figure
from bgsub.plots.swatches import luminance, palette_figure

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
