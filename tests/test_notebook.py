"""What objects show of themselves in a notebook: text stays text, nothing is endless, pictures are pictures."""

from __future__ import annotations

import base64
import re
from fractions import Fraction
from html.parser import HTMLParser

import cv2
import numpy as np
import pandas
import pytest
import sklearn

import bgsub
from bgsub.evaluation.protocol import Counts
from bgsub.evaluation.results import MethodResult
from bgsub.evaluation.scoring import SequenceScore
from bgsub.jobs.execution import Summary
from bgsub.mixture.comparison import Candidate, ModelSelection
from bgsub.mixture.fitted import FittedMixture
from bgsub.notebook import MOST_COLUMNS, MOST_ROWS, html_table
from bgsub.pipeline import Tally
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.preview import LARGEST, png_preview
from bgsub.video.readers.images import ImageSource
from tests.mixture.starts import some_parameters
from tests.video.clips import pictures, write_clip

HOSTILE = '<script>alert("x")</script>&'


class Page(HTMLParser):
    """Tags, and the text of each row of the table."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.rows, self.text = [], [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data):
        self.text += data
        if self.rows and self.rows[-1] and self.tags[-1] in ("td", "th", "b"):
            self.rows[-1][-1] += data


# ------------------------------------------------------------------------------------------------------------- tables


def test_a_table_holds_its_cells():
    page = Page(html_table("two", ["name", "value"], [["a", 1234567], ["b", 0.123456], ["c", None]], bold=[1]))
    assert page.rows == [["name", "value"], ["a", "1,234,567"], ["b", "0.1235"], ["c", ""]]
    assert page.tags.count("b") == 2  # the cells of the second row
    assert page.text.startswith("two")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), True, 12345.678, Fraction(1, 3)], ids=str)
def test_every_value_has_a_text(value):
    expected = "12,345.7" if value == 12345.678 else str(value)
    assert Page(html_table("", (), [[value]])).rows == [[expected]]


def test_text_is_text_wherever_it_stands():
    page = Page(html_table(HOSTILE, [HOSTILE], [[HOSTILE]]))
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) == 3
    assert html_table("", (), [["a\x1b[31m\u202eb"]]).count("\N{REPLACEMENT CHARACTER}") == 2


def test_tables_are_bounded_and_say_what_is_left_out():
    html = html_table("x" * 10_000, range(1000), ([i] * 1000 for i in range(MOST_ROWS + 1234)))
    page = Page(html)
    assert len(page.rows) == 1 + MOST_ROWS
    assert {len(row) for row in page.rows} == {MOST_COLUMNS + 1}
    assert page.rows[0][-1] == "... 988 more"
    assert "... and 1,234 more rows" in page.text
    assert len(html) < 100_000
    assert Page(html_table("", (), [["y" * 1000]])).rows == [["y" * 99 + "\N{HORIZONTAL ELLIPSIS}"]]


# ------------------------------------------------------------------------------------------------------------- frames


def shown(image):
    return cv2.imdecode(np.frombuffer(png_preview(image), np.uint8), cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("channels", [(), (3,), (4,)], ids=str)
def test_a_small_picture_of_8_bits_is_shown_as_it_is(channels):
    image = np.random.default_rng(0).integers(0, 256, (24, 32, *channels), np.uint8)
    np.testing.assert_array_equal(shown(image), image)
    np.testing.assert_array_equal(shown(image[::-1, ::2]), image[::-1, ::2])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((1080, 1920, 3), (270, 480)),
        ((2000, 10), (480, 2)),
        ((3, 100_000), (1, 480)),
        ((480, 480), (480, 480)),
        ((1, 1), (1, 1)),
    ],
    ids=str,
)
def test_a_large_one_is_made_smaller_in_its_proportions(shape, expected):
    assert LARGEST == 480
    image = np.zeros(shape, np.uint8)
    image[:, shape[1] // 2 :] = 200
    picture = shown(image)
    assert picture.shape[:2] == expected
    assert (picture[:, -1] == 200).all()


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [(np.uint16, 29_000, 29_300), (np.int16, -400, 900), (np.float32, 0.2, 0.7), (np.float64, -1e9, 1e9)],
)
def test_more_than_8_bits_are_stretched(dtype, low, high):
    image = np.linspace(low, high, 40 * 50).reshape(40, 50).astype(dtype)
    picture = shown(image)
    assert picture.dtype == np.uint8
    assert picture[0, 0] < 30
    assert picture[-1, -1] > 225
    assert (np.diff(picture.ravel().astype(int)) >= 0).all()
    assert abs(int(picture[20, 0]) - 127) < 5


def test_what_is_not_finite_and_what_is_flat():
    image = np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)
    image[0], image[1, 0], image[1, 1] = np.nan, np.inf, -np.inf
    assert (shown(image)[0] == 0).all()
    assert shown(image)[19, 19] > 225
    assert (shown(np.full((4, 4), np.nan)) == 0).all()
    assert shown(np.full((4, 4), 300, np.uint16)).std() == 0
    assert shown(np.eye(4, dtype=bool)).tolist() == (np.eye(4, dtype=int) * 255).tolist()


@pytest.mark.parametrize(
    "image", [None, [[1]], np.zeros((0, 5), np.uint8), np.zeros((4, 4, 2)), np.zeros(4), np.zeros((4, 4), complex)]
)
def test_what_is_no_picture_shows_none(image):
    frame = Frame(0, 0.0, image)
    assert (frame._repr_png_(), frame._repr_html_()) == (None, None)
    assert repr(frame).startswith("Frame(index=0, time=0, image=")


def test_a_frame_shows_its_picture():
    image = pictures(1)[0]
    frame = Frame(7, 0.28, image, name=HOSTILE)
    assert frame._repr_png_() == png_preview(image)
    html = frame._repr_html_()
    page = Page(html)
    assert page.tags == ["div", "img", "p"]
    assert page.text == f"{HOSTILE}, frame 7, 0:00:00.28, 32x24 BGR uint8"
    assert base64.b64decode(re.search('base64,([^"]*)', html)[1]) == frame._repr_png_()


def test_a_frame_is_one_short_line():
    assert repr(Frame(3, 0.12, np.zeros((24, 32, 3), np.uint8))) == "Frame(index=3, time=0.12, image=32x24 BGR uint8)"
    assert (
        repr(Frame(0, 0.0, np.zeros((9, 5), np.uint16), "in7"))
        == "Frame(index=0, time=0, image=5x9 grey uint16, name='in7')"
    )


# ------------------------------------------------------------------------------------------------------------ sources


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / "a&<b>.mkv", pictures(5), rate=10)


@pytest.mark.parametrize("prefetch", [0, 8])
def test_a_source_shows_what_is_known_of_it(clip, prefetch):
    with bgsub.open_source(clip, prefetch=prefetch) as source:
        line = repr(source)
        rows = dict(Page(source._repr_html_()).rows)
    assert line == "<ContainerSource 'a&<b>': 32x24, 10 fps, 5 frames, ffv1>"
    assert rows["name"] == "a&<b>"
    assert (rows["width"], rows["height"], rows["fps"], rows["codec"]) == ("32", "24", "10", "ffv1")
    assert dict(Page(source._repr_html_()).rows) == rows  # closed, as after a with block
    assert repr(source) == line


def test_a_folder_of_images_and_an_unopened_source(tmp_path):
    cv2.imwrite(str(tmp_path / "in1.png"), np.zeros((4, 6), np.uint8))
    with bgsub.open_source(tmp_path) as source:
        assert repr(source) == f"<ImageSource {tmp_path.name!r}: 6x4, 25 fps, 1 frame, png>"
    assert repr(object.__new__(ImageSource)) == "<ImageSource>"


def test_video_info_shows_a_table():
    rows = dict(Page(VideoInfo(HOSTILE, 32, 24, Fraction(30000, 1001), None, "h264", None)._repr_html_()).rows)
    assert (rows["name"], rows["fps"], rows["frame_count"]) == (HOSTILE, "30000/1001", "")


# ------------------------------------------------------------------------------------------------ mixtures, selections


@pytest.mark.parametrize("covariance_type", ["full", "tied", "diag", "spherical"])
def test_a_mixture_shows_its_components(covariance_type):
    X = np.random.default_rng(0).normal(size=(200, 3)) * [1, 10, 100]
    mixture = FittedMixture(some_parameters(X, 4, covariance_type), covariance_type)
    variances = np.diagonal(mixture.matrices, axis1=1, axis2=2)
    np.testing.assert_allclose(mixture.deviations, np.sqrt(variances), rtol=1e-12)
    assert repr(mixture) == f"FittedMixture(4 components, 3 features, {covariance_type})"
    header, *rows = Page(mixture._repr_html_()).rows
    assert header == ["component", "weight", "feature 0", "feature 1", "feature 2"]
    assert [row[0] for row in rows] == ["0", "1", "2", "3"]
    one = FittedMixture(some_parameters(X[:, :1], 1, covariance_type), covariance_type)
    assert repr(one) == f"FittedMixture(1 component, 1 feature, {covariance_type})"
    mean, deviation = rows[2][3].split(" \N{PLUS-MINUS SIGN} ")
    assert float(mean) == pytest.approx(mixture.means[2, 1], rel=1e-3)
    assert float(deviation) == pytest.approx(np.sqrt(variances[2, 1]), rel=0.06)


def test_a_selection_shows_the_best_first():
    table = [Candidate(k, "full", 100.0 - k, 90.0, 80.0, -40.0, k, True) for k in range(1, 4)]
    table.append(Candidate(4, "tied", float("inf"), float("inf"), float("inf"), -float("inf"), 9, False))
    selection = ModelSelection(table, "bic", None)
    assert repr(selection) == "ModelSelection(3 components, full: BIC 97.0, the lowest of 4)"
    header, *rows = Page(selection._repr_html_()).rows
    assert header[:4] == ["n components", "covariance type", "bic", "aic"]
    assert [row[0] for row in rows] == ["3", "2", "1", "4"]
    assert rows[3][2] == "inf"
    assert re.search("<tbody><tr><td[^>]*><b>3</b>", selection._repr_html_())
    assert selection._repr_html_().count("<b>") == len(header)


def test_what_came_of_a_job_shows_a_table():
    tally = Tally(read=5, written=5, foreground=0.5, first_time=0.0, last_time=0.4, elapsed=2.0)
    summary = Summary("done", (f"{HOSTILE}.mkv", "b.mp4"), tally, source=HOSTILE, size=(32, 24))
    rows = dict(Page(summary._repr_html_()).rows)
    assert (rows["source"], rows["result"], rows["outputs"]) == (HOSTILE, "done", f"{HOSTILE}.mkv, b.mp4")
    assert (rows["width"], rows["frames read"]) == ("32", "5")


def test_the_report_of_an_evaluation_shows_its_scores():
    scores = [
        SequenceScore("a", HOSTILE, [1], [Counts(10, 0, 10, 50, 0, 4)], 10, 0.5),
        SequenceScore("b", "z", [1], [Counts(9, 1, 0, 50, 0, 4)], 10, None),
    ]
    result = MethodResult("ours", scores)
    assert repr(result) == f"MethodResult('ours', 2 sequences, F {(20 / 30 + 18 / 19) / 2:.3f})"
    assert repr(scores[1]) == f"SequenceScore('b/z', 10 frames, F {18 / 19:.3f})"
    header, mean, first, second = Page(result._repr_html_()).rows
    assert (header[0], header[-2:]) == ("sequence", ["f measure", "ms a frame"])
    assert mean[0] == "mean over sequences"
    assert (first[0], first[-2:]) == (f"a/{HOSTILE}", ["0.6667", "50"])
    assert second[-1] == ""


def test_a_fitted_estimator_shows_what_it_learned_below_its_box():
    model = bgsub.GaussianMixture(2, random_state=0)
    box = model._repr_mimebundle_()["text/html"]
    rows = pandas.DataFrame({HOSTILE: [0.0, 0.1, 0.2, 9.0, 9.1, 9.2]})
    shown = model.fit(rows)._repr_mimebundle_()["text/html"]
    assert "<table>" in shown.replace(box, "")
    assert shown.endswith(model.fitted_mixture().shown([HOSTILE]))
    assert Page(model.fitted_mixture().shown([HOSTILE])).rows[0] == ["component", "weight", HOSTILE]
    with sklearn.config_context(display="text"):
        assert set(model._repr_mimebundle_()) == {"text/plain"}
