"""The report: every figure on the page, every picture in its place, nothing from a file's name taken for HTML."""

import math
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from bgsub.errors import OutputError
from bgsub.evaluation.protocol import Counts
from bgsub.evaluation.results import MethodResult
from bgsub.evaluation.running import SequenceResult
from bgsub.evaluation.samples import Sample
from bgsub.evaluation.scoring import SequenceScore
from bgsub.plots.mask_errors import error_picture
from bgsub.plots.report import Report

NAME = "<script>alert(1)</script>&\"'$x$"
RNG = np.random.default_rng(0)


def score(name, tp, seconds=1.0, category="cat"):
    return SequenceScore(category, name, [4, 5], [Counts(tp, 5, 3, 90, 1, 6), Counts(0, 0, 2, 98, 0, 0)], 9, seconds)


def sample(number, remark, n_masks, grey=False, dtype=np.uint8):
    truth = RNG.choice(np.array([0, 50, 85, 170, 255], np.uint8), (24, 32))
    image = RNG.integers(0, np.iinfo(dtype).max, truth.shape if grey else (24, 32, 3), dtype)
    return Sample(number, remark, image, truth, [RNG.random(truth.shape) < 0.5 for _ in range(n_masks)])


class Page(HTMLParser):
    """Balanced tags, the addresses on a page, its text."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.addresses, self.ids, self.text = [], [], [], [], ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.addresses += [value for name, value in attrs if name in ("href", "src")]
        self.ids += [value for name, value in attrs if name == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def write(folder, labels, results, title="Evaluation", **about):
    report = Report(folder, title, labels, **about)
    for result in results:
        report.add(result)
    scores = [[result.scores[i] for result in results] for i in range(len(labels))]
    path = report.finish([MethodResult(label, s) for label, s in zip(labels, scores, strict=True)])
    return Page(path.read_text(encoding="utf-8"))


def check_addresses(folder, page):
    for address in page.addresses:
        if address.startswith("#"):
            assert address[1:] in page.ids
        else:
            assert (folder / address).is_file(), address
    pictures = {f"pictures/{file.name}" for file in (folder / "pictures").iterdir()}
    assert pictures == {address for address in page.addresses if not address.startswith("#")}


def test_one_method(tmp_path):
    samples = [sample(4, "worst", 1), sample(5, "", 1, grey=True)]
    page = write(tmp_path / "report", ["mog2"], [SequenceResult([score("one", 7)], samples)])
    folder = tmp_path / "report"
    check_addresses(folder, page)
    assert "9 frames, 2 of them count; 32×24 pixels" in page.text
    assert "1 sequence in 1 category, 2 frames scored" in page.text
    f = 14 / (14 + 5 + 5)
    assert page.text.count(f"{f:.4f}") >= 3 and "111.11" in page.text  # 1 s for 9 frames
    assert "worst" in page.text
    for one in samples:
        stem = str(folder / f"pictures/s1-{one.number:06d}")
        shown = cv2.imread(f"{stem}-frame.jpg", cv2.IMREAD_UNCHANGED)
        assert shown.shape == one.image.shape
        assert np.array_equal(cv2.imread(f"{stem}-truth.png", cv2.IMREAD_UNCHANGED), one.truth)
        assert np.array_equal(cv2.imread(f"{stem}-mask.png", cv2.IMREAD_UNCHANGED) == 255, one.masks[0])
        assert np.array_equal(cv2.imread(f"{stem}-errors0.png"), error_picture(one.errors(0)))
    assert ET.parse(folder / "pictures/s1-time.svg").getroot().tag.endswith("svg")


def test_several_methods(tmp_path):
    results = [
        SequenceResult([score("one", 7), score("one", 9, None)], [sample(4, "", 2, dtype=np.uint16)]),
        SequenceResult([score("two", 2), score("two", 1, None)], []),
    ]
    page = write(tmp_path, ["mog2", "theirs"], results)
    check_addresses(tmp_path, page)
    html = (tmp_path / "index.html").read_text(encoding="utf-8")
    best = re.findall(r'<td class="best"[^>]*>(0\.\d{4})</td>', html)
    f = {tp: 2 * tp / (2 * tp + 5 + 5) for tp in (7, 9, 2, 1)}
    assert f"{f[9]:.4f}" in best and f"{f[7]:.4f}" not in best and f"{f[2]:.4f}" in best
    for i, (a, b) in enumerate([(7, 2), (9, 1)]):
        assert f"{(f[a] + f[b]) / 2:.4f}" in page.text, i
    errors = cv2.imread(str(tmp_path / "pictures/s1-000004-errors1.png"))
    assert np.array_equal(errors, error_picture(results[0].samples[0].errors(1)))


def test_names_are_text(tmp_path):
    result = SequenceResult([score(NAME, 3, category=NAME)], [sample(4, "worst", 1)])
    page = write(tmp_path, [NAME], [result], title=NAME)
    check_addresses(tmp_path, page)
    assert "script" not in page.tags and page.text.count(NAME) >= 6
    assert all("script" not in address for address in page.addresses)


def test_the_page_says_when_it_was_made_by_what_and_with_which_parameters(tmp_path):
    settings = {"mog2": {"history": 500, "var_min": 4.0, "name": NAME}, "opencv-knn": {}}
    results = [SequenceResult([score("one", 7), score("one", 9)], [])]
    page = write(tmp_path, ["mog2", "opencv-knn"], results, made_by="bgsub 9.8.7 <b>", settings=settings)
    assert re.search(r"Made on \d{4}-\d\d-\d\d at \d\d:\d\d \S+ by bgsub 9\.8\.7 <b>\.", page.text)
    assert f"history 500, var_min 4, name {NAME}" in page.text
    assert "opencv-knnits own defaults" in page.text
    assert "details" in page.tags and "b" not in page.tags and "script" not in page.tags


def test_the_page_asks_for_nothing_elsewhere(tmp_path):
    write(tmp_path, ["mog2"], [SequenceResult([score("one", 7)], [sample(4, "", 1)])])
    html = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|@import|url\(|<script|<link|\bon\w+=", html)


def test_undefined_figures(tmp_path):
    empty = SequenceScore("c", "n", [1], [Counts(0, 0, 0, 9, 0, 0)], 1, 0.0)
    page = write(tmp_path, ["a", "b"], [SequenceResult([empty, empty], [])])
    assert math.isnan(empty.metrics.f_measure)
    assert "nan" not in page.text and "–" in page.text


def test_an_earlier_report_makes_room(tmp_path):
    write(tmp_path, ["mog2"], [SequenceResult([score(n, 7)], [sample(4, "", 1)]) for n in ("one", "two")])
    (tmp_path / "pictures/mine.png").touch()
    write(tmp_path, ["mog2"], [SequenceResult([score("one", 7)], [sample(5, "", 1)])])
    assert {file.name for file in (tmp_path / "pictures").iterdir()} == {
        "mine.png",
        "s1-time.svg",
        *(f"s1-000005-{kind}" for kind in ("frame.jpg", "truth.png", "mask.png", "errors0.png")),
    }


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot write the report to .*file: .*; choose another"):
        Report(tmp_path / "file", "title", ["mog2"])
