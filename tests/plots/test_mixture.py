"""Pictures of mixtures: ellipses hold what they say, densities sum to it, files are pictures."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from scipy.integrate import trapezoid

from bgsub.errors import OutputError
from bgsub.plots.figures import colours, markers, mixed, save_figure
from bgsub.plots.histogram import NAMED
from bgsub.plots.mixture import MOST_COLUMNS, mixture_figure
from bgsub.plots.plane import ellipse
from bgsub.plots.shown import ShownMixture, ShownRows

pytestmark = pytest.mark.slow

COVARIANCE = np.array([[4.0, 1.5], [1.5, 1.0]])
NAMES = ("width", "height", "depth", "weight", "price")


@pytest.fixture
def plane():
    means = np.array([[0.0, 1.0], [6.0, 3.0]])
    covariances = np.stack([COVARIANCE, np.eye(2)])
    return ShownMixture(np.array([0.7, 0.3]), means, covariances, NAMES[:2], (False, False))


@pytest.fixture
def points(plane):
    rng = np.random.default_rng(0)
    parts = [rng.multivariate_normal(m, c, 150) for m, c in zip(plane.means, plane.covariances, strict=True)]
    return np.vstack(parts)


def of_columns(count, k=3, n=200, log=False):
    """A mixture over so many columns, and rows drawn from it."""
    rng = np.random.default_rng(count)
    means = rng.normal(0, 5, (k, count))
    mixture = ShownMixture(
        np.full(k, 1 / k), means, np.tile(np.eye(count), (k, 1, 1)), NAMES[:count], (log,) + (False,) * (count - 1)
    )
    labels = rng.integers(0, k, n)
    return mixture, ShownRows(means[labels] + rng.normal(size=(n, count)), np.eye(k)[labels])


def shares(n, k=2):
    return np.random.default_rng(1).dirichlet(np.ones(k), n)


def cloud(axes):
    """Places (n, 2), colours (n, 3) and shapes of all points in the axes, in the order of their places."""
    layers = [layer for layer in axes.collections if len(layer.get_facecolors())]
    places = np.concatenate([layer.get_offsets() for layer in layers])
    shades = np.concatenate(
        [np.broadcast_to(layer.get_facecolors()[:, :3], (len(layer.get_offsets()), 3)) for layer in layers]
    )
    shapes = np.concatenate([[layer.get_paths()[0].vertices.shape[0]] * len(layer.get_offsets()) for layer in layers])
    order = np.lexsort(places.T)
    return places[order], shades[order], shapes[order]


def names(figure):
    """What the legend says."""
    return [text.get_text() for text in figure.legends[0].get_texts()]


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


# ------------------------------------------------------------------------------------------------- two columns


def test_what_is_drawn(plane, points):
    probabilities = shares(len(points))
    figure = mixture_figure(plane, ShownRows(points, probabilities, points[:3]))
    axes = figure.axes[0]
    outlines = [line.get_xydata() for line in axes.lines if len(line.get_xydata()) > 2]
    assert names(figure) == [
        "cluster 0: 70.0%",
        "cluster 1: 30.0%",
        "holds 50% of a cluster",
        "holds 95% of a cluster",
        "3 unusual",
    ]
    assert np.allclose(outlines[0], ellipse(plane.means[0], COVARIANCE, 0.5))
    assert np.allclose(outlines[3], ellipse(plane.means[1], np.eye(2), 0.95))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("width", "height")
    places, shades, _ = cloud(axes)
    expected = np.lexsort(points.T)
    assert np.allclose(places, points[expected])
    assert np.allclose(shades, mixed(probabilities, colours(2))[expected])
    (rings,) = [layer for layer in axes.collections if not len(layer.get_facecolors())]
    assert np.allclose(rings.get_offsets(), points[:3])


def test_clusters_differ_by_shape_too(plane, points):
    probabilities = np.eye(2)[np.repeat([0, 1], 150)]
    figure = mixture_figure(plane, ShownRows(points, probabilities))
    _, shades, shapes = cloud(figure.axes[0])
    first = np.abs(shades - colours(2)[0]).max(axis=1) < 0.01
    assert 0 < first.sum() < len(first)
    assert len(set(shapes[first])) == len(set(shapes[~first])) == 1
    assert set(shapes[first]) != set(shapes[~first])
    handles = figure.legends[0].legend_handles[:2]
    assert [handle.get_marker() for handle in handles] == markers(2)
    assert handles[0]._dash_pattern != handles[1]._dash_pattern


def test_the_legend_hides_no_data(plane, points):
    k = 10
    many = ShownMixture(np.full(k, 1 / k), points[:k], np.tile(np.eye(2), (k, 1, 1)), NAMES[:2], (False, False))
    figure = mixture_figure(many, ShownRows(points, shares(len(points), k)))
    figure.draw_without_rendering()
    legend = figure.legends[0].get_window_extent()
    assert len(names(figure)) == k + 2
    for axes in figure.axes:
        assert not legend.overlaps(axes.get_window_extent())


def test_densities_along_the_axes_have_the_weights_as_their_areas(plane, points):
    figure = mixture_figure(plane, ShownRows(points, shares(len(points))))
    for margin, column in zip(figure.axes[1:], (0, 1), strict=True):
        assert len({str(line.get_linestyle()) + str(line._dash_pattern) for line in margin.lines}) == 2
        for line, weight in zip(margin.lines, plane.weights, strict=True):
            places, density = line.get_xydata().T[:: -1 if column else 1]
            assert trapezoid(density, places) == pytest.approx(weight, abs=0.03)


def test_logarithms_have_logarithmic_axes(plane, points):
    log = ShownMixture(plane.weights, plane.means, plane.covariances, plane.names, (True, False))
    axes = mixture_figure(log, ShownRows(points, shares(len(points)))).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    outline = next(line.get_xydata() for line in axes.lines if len(line.get_xydata()) > 2)
    expected = ellipse(plane.means[0], COVARIANCE, 0.5)
    assert np.allclose(outline, np.column_stack([np.exp(expected[:, 0]), expected[:, 1]]))


def test_k_means_beside_it(plane, points):
    hard = np.repeat([1, 0], 150)
    cut, soft = mixture_figure(plane, ShownRows(points, shares(len(points)), hard=hard)).axes
    assert "k-means" in cut.get_title() and "mixture" in soft.get_title()
    assert np.allclose(cloud(cut)[1], colours(2)[hard[np.lexsort(points.T)]])


def test_many_components_are_not_named_one_by_one(points):
    k = 30
    plane = ShownMixture(
        np.full(k, 1 / k), np.tile(points[:k], 1), np.tile(np.eye(2), (k, 1, 1)), ("a", "b"), (False,) * 2
    )
    figure = mixture_figure(plane, ShownRows(points, shares(len(points), k)))
    assert names(figure) == ["holds 50% of a cluster", "holds 95% of a cluster"]
    assert not figure.axes[0].texts


# ------------------------------------------------------------------------------------------------- one, or many


@pytest.mark.parametrize("log", [False, True])
def test_one_column_is_a_histogram_with_its_densities_and_their_sum(log):
    mixture, rows = of_columns(1, k=3, n=5000, log=log)
    rows = ShownRows(rows.points, rows.probabilities, rows.points[:2])
    figure = mixture_figure(mixture, rows)
    (axes,) = figure.axes
    assert names(figure) == ["5,000 rows", *(f"cluster {k}: 33.3%" for k in range(3)), "sum", "2 unusual"]
    assert axes.get_xlabel() == "width" and axes.get_xscale() == ("log" if log else "linear")
    *components, total, unusual = axes.lines
    xs = np.log(total.get_xdata()) if log else total.get_xdata()
    assert np.allclose(sum(line.get_ydata() for line in components), total.get_ydata())
    for line in components:
        assert trapezoid(line.get_ydata(), xs) == pytest.approx(1 / 3, abs=0.02)
    for k, line in enumerate(components):
        expected = np.exp(-0.5 * (xs - mixture.means[k, 0]) ** 2) / np.sqrt(2 * np.pi) / 3
        assert np.allclose(line.get_ydata(), expected)
    shown = np.exp(rows.points[:2, 0]) if log else rows.points[:2, 0]
    assert np.allclose(unusual.get_xdata(), shown)
    bars = axes.patches[0].get_data()
    edges = np.log(bars.edges) if log else bars.edges
    assert (bars.values * np.diff(edges)).sum() == pytest.approx(1)


def test_a_narrow_component_of_one_column_is_drawn_to_its_top():
    mixture = ShownMixture(
        np.array([0.5, 0.5]), np.array([[0.0], [500.0]]), np.array([[[1e4]], [[1e-4]]]), ("x",), (False,)
    )
    values = np.concatenate([np.random.default_rng(0).normal(0, 100, 500), np.full(500, 500.0)])
    axes = mixture_figure(mixture, ShownRows(values[:, None], np.full((1000, 2), 0.5))).axes[0]
    assert axes.lines[1].get_ydata().max() == pytest.approx(0.5 / np.sqrt(2 * np.pi * 1e-4), rel=0.02)


def test_a_column_of_one_value():
    mixture = ShownMixture(np.ones(1), np.zeros((1, 1)), np.full((1, 1, 1), 1e-6), ("x",), (False,))
    figure = mixture_figure(mixture, ShownRows(np.zeros((20, 1)), np.ones((20, 1))))
    assert names(figure) == ["20 rows", "cluster 0: 100.0%", "sum"]


@pytest.mark.parametrize("count", [3, 4, MOST_COLUMNS])
def test_more_columns_are_drawn_alone_and_in_pairs(count):
    mixture, rows = of_columns(count, log=True)
    figure = mixture_figure(mixture, rows, "some of the columns")
    alone = [axes for axes in figure.axes if not axes.collections]
    pairs = [axes for axes in figure.axes if axes.collections]
    assert (len(alone), len(pairs)) == (count, count * (count - 1) // 2)
    assert [axes.get_title() for axes in alone] == list(NAMES[:count])
    assert figure.get_suptitle() == "some of the columns"
    wanted = [(across, down) for down in range(count) for across in range(down)]
    for axes, (across, down) in zip(pairs, wanted, strict=True):
        expected = mixture.over(across, down).shown(rows.points[:, [across, down]])
        assert np.allclose(cloud(axes)[0], expected[np.lexsort(expected.T)])
        assert (axes.get_xscale(), axes.get_yscale()) == ("log" if across == 0 else "linear", "linear")
    figure.draw_without_rendering()
    legend = figure.legends[0].get_window_extent()
    assert not any(legend.overlaps(axes.get_window_extent()) for axes in figure.axes)


@pytest.mark.parametrize("count", [1, 2, 3, MOST_COLUMNS])
@pytest.mark.parametrize("k", [1, 9, NAMED])
def test_every_legend_fits_into_its_picture_and_hides_nothing(count, k):
    mixture, rows = of_columns(count, k=k, n=300)
    figure = mixture_figure(mixture, ShownRows(rows.points, rows.probabilities, rows.points[:4]))
    figure.draw_without_rendering()
    legend = figure.legends[0].get_window_extent()
    assert len(names(figure)) >= k + 3
    assert legend.y0 >= 0 and legend.x0 >= 0 and legend.x1 <= figure.bbox.width and legend.y1 <= figure.bbox.height
    assert not any(legend.overlaps(axes.get_window_extent()) for axes in figure.axes)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_names_of_columns_are_drawn_to_the_letter(count, tmp_path):
    """A dollar begins no formula, not even one that is none; a long name is shortened."""
    mixture, rows = of_columns(count)
    odd = ("cost in $x_{$ \\frac{", "price $", "a" * 100 + "z" * 100)[:count]
    named = ShownMixture(mixture.weights, mixture.means, mixture.covariances, odd, mixture.log)
    figure = mixture_figure(named, rows)
    save_figure(figure, tmp_path / "p.png")
    assert figure.axes[0].get_xlabel() + figure.axes[0].get_title() == "cost in \\$x_{\\$ \\frac{"
    drawn = [text for axes in figure.axes for text in (axes.get_xlabel(), axes.get_ylabel(), axes.get_title())]
    assert max(map(len, drawn)) <= 62


def test_letters_that_no_font_has_are_told_in_one_line(tmp_path, caplog, recwarn, monkeypatch):
    monkeypatch.setattr("bgsub.plots.figures._EASTERN_FONTS", ())
    mixture, rows = of_columns(2)
    named = ShownMixture(mixture.weights, mixture.means, mixture.covariances, ("温度", "größe"), mixture.log)
    save_figure(mixture_figure(named, rows), tmp_path / "p.png")
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'p.png'}: no font here has all letters of its names; those it lacks are boxes"
    ]
    assert not recwarn.list and (tmp_path / "p.png").stat().st_size > 10_000
    caplog.clear()
    save_figure(mixture_figure(mixture, rows), tmp_path / "q.png")
    assert not caplog.records


def test_a_font_of_the_system_is_asked_for_letters_from_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr("matplotlib.font_manager.get_font_names", lambda: ["Yu Gothic", "DejaVu Sans"])
    mixture, rows = of_columns(2)
    named = ShownMixture(mixture.weights, mixture.means, mixture.covariances, ("温度", "größe"), mixture.log)
    figure = mixture_figure(named, rows)
    save_figure(figure, tmp_path / "p.png")
    assert figure.axes[0].xaxis.label.get_fontfamily() == ["DejaVu Sans", "Yu Gothic"]


# -------------------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("few_colours", [False, True])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".svg", ".pdf"])
def test_files(tmp_path, plane, points, suffix, few_colours):
    path = tmp_path / f"p{suffix}"
    save_figure(mixture_figure(plane, ShownRows(points, shares(len(points)))), path, few_colours=few_colours)
    content = path.read_bytes()
    if suffix == ".jpg":
        with Image.open(path) as picture:
            assert picture.format == "JPEG"
            assert len(np.unique(np.asarray(picture.convert("L")))) > 50
    elif suffix == ".png":
        with Image.open(path) as picture:
            seen = np.asarray(picture.convert("RGB")).reshape(-1, 3)
        assert len(seen) > 500_000
        dark = np.round(np.array(to_rgb("#0072b2")) * 0.72 * 255)
        assert (np.abs(seen - dark).max(axis=1) <= 2).sum() > 100  # the first component's ellipses
    else:
        assert content[:5] == b"%PDF-" if suffix == ".pdf" else b"<svg" in content
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_few_colours_make_a_smaller_file_that_looks_the_same(tmp_path, plane, points):
    figure = mixture_figure(plane, ShownRows(points, shares(len(points))))
    for name in ("many", "few"):
        save_figure(figure, tmp_path / f"{name}.png", few_colours=name == "few")
    many, few = (Image.open(tmp_path / f"{name}.png") for name in ("many", "few"))
    assert few.mode == "P" and few.size == many.size and few.info["dpi"] == many.info["dpi"]
    apart = np.abs(np.asarray(many.convert("RGB"), int) - np.asarray(few.convert("RGB"), int)).max(axis=2)
    assert np.quantile(apart, 0.99) <= 6
    assert (tmp_path / "few.png").stat().st_size < 0.6 * (tmp_path / "many.png").stat().st_size


def test_another_extension_is_refused(tmp_path, plane, points):
    figure = mixture_figure(plane, ShownRows(points, shares(len(points))))
    with pytest.raises(OutputError, match=r"p.gif: its extension is none of .png, .jpg, .svg, .pdf; choose one$"):
        save_figure(figure, tmp_path / "p.gif")
    assert list(tmp_path.iterdir()) == []
