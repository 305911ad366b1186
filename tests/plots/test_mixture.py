"""Pictures of mixtures: ellipses hold what they say, colours mix as they should, files are pictures."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from scipy.integrate import trapezoid

from bgsub.errors import OutputError
from bgsub.plots.figures import colours, mixed, save_figure
from bgsub.plots.mixture import PlaneMixture, ellipse, mixture_figure

pytestmark = pytest.mark.slow

COVARIANCE = np.array([[4.0, 1.5], [1.5, 1.0]])


@pytest.fixture
def plane():
    means = np.array([[0.0, 1.0], [6.0, 3.0]])
    return PlaneMixture(np.array([0.7, 0.3]), means, np.stack([COVARIANCE, np.eye(2)]), ("width", "height"))


@pytest.fixture
def points(plane):
    rng = np.random.default_rng(0)
    parts = [rng.multivariate_normal(m, c, 150) for m, c in zip(plane.means, plane.covariances, strict=True)]
    return np.vstack(parts)


def shares(n, k=2):
    return np.random.default_rng(1).dirichlet(np.ones(k), n)


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_an_ellipse_holds_its_share(share):
    mean = np.array([10.0, -3.0])
    outline = ellipse(mean, COVARIANCE, share) - mean
    radius = np.einsum("ni,ij,nj->n", outline, np.linalg.inv(COVARIANCE), outline)
    assert np.allclose(radius, radius[0])
    rows = np.random.default_rng(0).multivariate_normal([0, 0], COVARIANCE, 200_000)
    inside = np.einsum("ni,ij,nj->n", rows, np.linalg.inv(COVARIANCE), rows) < radius[0]
    assert inside.mean() == pytest.approx(share, abs=0.004)


def test_an_ellipse_of_a_flat_component_is_a_line():
    outline = ellipse(np.zeros(2), np.array([[1.0, 1.0], [1.0, 1.0]]), 0.5)
    assert np.allclose(outline[:, 0], outline[:, 1])


@pytest.mark.parametrize("count", [1, 3, 10, 40])
def test_colours_differ(count):
    palette = colours(count)
    assert palette.shape == (count, 3)
    assert palette.min() >= 0 and palette.max() <= 1
    apart = np.linalg.norm(palette[:, None] - palette, axis=2) + np.eye(count)
    assert apart.min() > 0.02


def test_colours_mix_as_light_does():
    palette = np.array([[1.0, 0, 0], [0, 0, 1.0]])
    found = mixed(np.array([[1, 0], [0, 1], [0.5, 0.5]]), palette)
    assert np.allclose(found[:2], palette)
    assert np.allclose(found[2], [0.5 ** (1 / 2.2), 0, 0.5 ** (1 / 2.2)])


def drawn(axes):
    """Outlines and labels of the axes."""
    outlines = [line.get_xydata() for line in axes.lines if len(line.get_xydata()) > 2]
    return outlines, [text.get_text() for text in axes.get_legend().get_texts()]


def test_what_is_drawn(plane, points):
    probabilities = shares(len(points))
    figure = mixture_figure(plane, points, probabilities, anomalies=points[:3])
    axes = figure.axes[0]
    outlines, labels = drawn(axes)
    assert labels == ["cluster 0: 70.0%", "cluster 1: 30.0%", "3 unusual"]
    assert np.allclose(outlines[0], ellipse(plane.means[0], COVARIANCE, 0.5))
    assert np.allclose(outlines[3], ellipse(plane.means[1], np.eye(2), 0.95))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("width", "height")
    cloud, rings = axes.collections
    order = np.lexsort(cloud.get_offsets().T)
    expected = np.lexsort(points.T)
    assert np.allclose(cloud.get_offsets()[order], points[expected])
    shade = mixed(probabilities, colours(2))
    assert np.allclose(cloud.get_facecolors()[order, :3], shade[expected])
    assert np.allclose(rings.get_offsets(), points[:3])


def test_densities_along_the_axes_have_the_weights_as_their_areas(plane, points):
    figure = mixture_figure(plane, points, shares(len(points)))
    for margin, column in zip(figure.axes[1:], (0, 1), strict=True):
        for line, weight in zip(margin.lines, plane.weights, strict=True):
            places, density = line.get_xydata().T[:: -1 if column else 1]
            assert trapezoid(density, places) == pytest.approx(weight, abs=0.03)


def test_logarithms_have_logarithmic_axes(plane, points):
    log = PlaneMixture(plane.weights, plane.means, plane.covariances, plane.names, (True, False))
    axes = mixture_figure(log, points, shares(len(points))).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    outline = drawn(axes)[0][0]
    expected = ellipse(plane.means[0], COVARIANCE, 0.5)
    assert np.allclose(outline, np.column_stack([np.exp(expected[:, 0]), expected[:, 1]]))


def test_k_means_beside_it(plane, points):
    hard = np.repeat([1, 0], 150)
    cut, soft = mixture_figure(plane, points, shares(len(points)), hard=hard).axes
    assert "k-means" in cut.get_title() and "mixture" in soft.get_title()
    cloud = cut.collections[0]
    order = np.lexsort(cloud.get_offsets().T)
    assert np.allclose(cloud.get_facecolors()[order, :3], colours(2)[hard[np.lexsort(points.T)]])


def test_many_components_have_no_labels(points):
    k = 30
    plane = PlaneMixture(np.full(k, 1 / k), np.tile(points[:k], 1), np.tile(np.eye(2), (k, 1, 1)), ("a", "b"))
    axes = mixture_figure(plane, points, shares(len(points), k)).axes[0]
    assert axes.get_legend() is None


@pytest.mark.parametrize("few_colours", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".svg", ".pdf"])
def test_files(tmp_path, plane, points, suffix, few_colours):
    path = tmp_path / f"p{suffix}"
    save_figure(mixture_figure(plane, points, shares(len(points))), path, few_colours=few_colours)
    content = path.read_bytes()
    if suffix == ".jpg":
        with Image.open(path) as picture:
            assert picture.format == "JPEG"
            assert len(np.unique(np.asarray(picture.convert("L")))) > 50
    elif suffix == ".png":
        with Image.open(path) as picture:
            seen = np.asarray(picture.convert("RGB")).reshape(-1, 3)
        assert len(seen) > 500_000
        dark = np.round(np.array(to_rgb("#3b76af")) * 0.72 * 255)
        assert (np.abs(seen - dark).max(axis=1) <= 2).sum() > 100  # the first component's ellipses
    else:
        assert content[:5] == b"%PDF-" if suffix == ".pdf" else b"<svg" in content
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_few_colours_make_a_smaller_file_that_looks_the_same(tmp_path, plane, points):
    figure = mixture_figure(plane, points, shares(len(points)))
    for name in ("many", "few"):
        save_figure(figure, tmp_path / f"{name}.png", few_colours=name == "few")
    many, few = (Image.open(tmp_path / f"{name}.png") for name in ("many", "few"))
    assert few.mode == "P" and few.size == many.size and few.info["dpi"] == many.info["dpi"]
    apart = np.abs(np.asarray(many.convert("RGB"), int) - np.asarray(few.convert("RGB"), int)).max(axis=2)
    assert np.quantile(apart, 0.99) <= 6
    assert (tmp_path / "few.png").stat().st_size < 0.6 * (tmp_path / "many.png").stat().st_size


def test_another_extension_is_refused(tmp_path, plane, points):
    figure = mixture_figure(plane, points, shares(len(points)))
    with pytest.raises(OutputError, match=r"p.gif: its extension is none of .png, .jpg, .svg, .pdf; choose one$"):
        save_figure(figure, tmp_path / "p.gif")
    assert list(tmp_path.iterdir()) == []
