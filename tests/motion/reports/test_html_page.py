"""The page is one file, says all, links clips, and lets no name become anything but text."""

import base64
import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.motion.clips.spans import Clip
from bgsub.motion.events import Rule
from bgsub.motion.reports import html_page
from bgsub.motion.reports.moments import clips_among
from bgsub.motion.reports.writing import write_report
from tests.motion.scanned import failed_result, some_event, some_result
from tests.motion.test_pictures import peak_at, result_of, written_video

MADE = datetime(2026, 11, 27, 20, 0, tzinfo=UTC)
HOSTILE = [
    "<script>document.title='HACKED'</script>.mp4",
    '"><img src=x onerror="document.title=\'HACKED\'">.mp4',
    "' onload='document.title=1' x='.mp4",
    "</title></style><b>&amp;.mp4",
    "two\nlines\u202egnp.4pm",
    "\udcff.mp4",
]
VOID = {"meta", "img", "input", "br", "link"}


class Page(HTMLParser):
    """Elements of a page with their attributes, its text, and whether all that is opened is closed."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.open = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["script"]):
            self.text.append(data)

    def of(self, name, **attrs):
        found = [a for tag, a in self.elements if tag == name]
        return [a for a in found if all(a.get(key.rstrip("_")) == value for key, value in attrs.items())]


def page_of(tmp_path, results, **options):
    path = tmp_path / "night.html"
    write_report(path, results, Rule(), made=MADE, **options)
    html = path.read_bytes().decode("utf-8")
    page = Page(html)
    assert page.open == []
    return page, html


def test_the_page_has_timeline_events_maps_failed_and_still_ones(tmp_path):
    results = [some_result(), failed_result(), some_result(("card/b.mp4",), events=())]
    page, _ = page_of(tmp_path, results)
    text = " ".join(page.text)
    assert "2 events in 3 recordings" in text
    assert "cannot open clips/half.mp4: no video in it; check the file" in text
    assert "card/b.mp4" in text and "1 recording in which nothing moved" in text
    assert [a["id"] for a in page.of("li", class_="event")] == ["e0-1", "e0-2"]
    assert "00:00:00.400 – 00:00:04.000 (3.6 s)" in text and "2026-11-27 05:11:44" in text
    assert {a["href"] for a in page.of("a") if "data-event" in a} == {"#e0-1", "#e0-2"}
    assert {a.get("id") for a in page.of("h2")} == {"failed", "timeline", "events", "maps", "still"}
    assert len(page.of("figure")) == 1  # where nothing moved there is no map
    assert len(page.of("polyline", class_="path")) == 2


def test_bars_lie_where_events_are_and_all_rows_have_one_scale(tmp_path):
    long = some_result(("b.mp4",), events=(some_event(1, 12.0, 24.0),))
    long = replace(long, facts=replace(long.facts, duration=24.0))
    page, _ = page_of(tmp_path, [some_result(events=(some_event(1, 6.0, 12.0),)), long])
    bars = page.of("rect")
    assert [(float(bar["x"]), float(bar["width"])) for bar in bars] == [(250.0, 250.0), (500.0, 500.0)]


def test_the_page_needs_no_other_file_and_no_host(tmp_path):
    page, html = page_of(tmp_path, [some_result()])
    for _, attributes in page.elements:
        assert not {"srcset", "onload", "onerror", "onclick", "action"} & set(attributes)
        assert attributes.get("src", "data:image/jpeg;base64,").startswith("data:image/jpeg;base64,")
        assert attributes.get("href", "#").startswith("#")
    assert re.findall(r"https?://|@import|url\(", html) == []


def test_the_policy_lets_the_pages_own_script_run_and_no_other(tmp_path):
    page, html = page_of(tmp_path, [some_result()])
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    (policy,) = (a["content"] for a in page.of("meta") if a.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_outside_are_text(tmp_path, name):
    plain, _ = page_of(tmp_path, [some_result(), failed_result(), some_result(("b.mp4",), events=())])
    events = tuple(some_event(i + 1, i * 5.0, i * 5.0 + 3, zones=(name,), unusual=0.5) for i in range(2))
    hostile = [some_result((name,), events=events), failed_result((name,)), some_result((name,), events=())]
    page, html = page_of(tmp_path, hostile)
    tags = [tag for tag, _ in page.elements]
    assert set(tags) <= {tag for tag, _ in plain.elements}
    assert tags.count("script") == tags.count("style") == tags.count("title") - 2 == 1  # two titles are of bars
    assert tags.count("img") == 1  # the map
    attributes = {key for _, a in page.elements for key in a}
    assert attributes <= {key for _, a in plain.elements for key in a} | {"name"}
    assert "\u202e" not in html and "\udcff" not in html
    if name.isprintable():
        assert name in "".join(page.text)


def test_pictures_are_those_of_the_peaks_with_boxes(tmp_path):
    source = written_video(tmp_path / "a.mkv")
    page, _ = page_of(tmp_path, [result_of(source, peak_at(10), peak_at(50, 2))])
    urls = [a["src"] for a in page.of("img")]
    assert len(urls) == 2
    raw = base64.b64decode(urls[1].removeprefix("data:image/jpeg;base64,"))
    picture = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 320
    assert np.abs(picture[170, 300].astype(int) - (20, 70, 190)).max() <= 12  # frame 50


def test_a_page_of_very_many_events_has_a_bounded_number_of_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(html_page, "MOST_PICTURES", 3)
    source = written_video(tmp_path / "a.mkv")
    one = result_of(source, peak_at(10), peak_at(20, 2))
    page, _ = page_of(tmp_path, [one, one])
    assert len(page.of("img")) == 3
    assert len(page.of("li", class_="event")) == 4
    assert "no picture" in page.text


def test_clips_are_linked_from_where_the_page_lies(tmp_path):
    paths = [tmp_path / "clips" / "gate.event-001.mp4", tmp_path / "javascript:a b?c#d.mp4"]
    events = some_result().events
    clips = clips_among([[Clip(event, 0.0, 4.0, path) for event, path in zip(events, paths, strict=True)]])
    page, _ = page_of(tmp_path, [some_result()], clips=clips)
    links = [a["href"] for a in page.of("a") if "data-event" not in a]
    assert links == ["clips/gate.event-001.mp4", "javascript%3Aa%20b%3Fc%23d.mp4"]
    (tmp_path / "sub").mkdir()
    page, _ = page_of(tmp_path / "sub", [some_result()], clips=clips)
    assert next(a["href"] for a in page.of("a") if "data-event" not in a) == "../clips/gate.event-001.mp4"


def test_filters_are_offered_where_there_is_something_to_choose(tmp_path):
    one = some_result(events=(some_event(zones=()),))
    page, _ = page_of(tmp_path, [one])
    assert [a["name"] for a in page.of("select")] == ["sort"]
    events = (some_event(zones=("gate",)), some_event(2, 6.0, 8.0, kind="stopped", unusual=0.95))
    page, _ = page_of(tmp_path, [some_result(events=events), one])
    assert [a["name"] for a in page.of("select")] == ["source", "zone", "kind", "sort"]
    assert [a["name"] for a in page.of("input") if "name" in a] == ["shortest", "odd"]
    assert [a["data-zones"] for a in page.of("li", class_="event")] == ["0", "0 1", ""]


@pytest.mark.parametrize("results", [[], [failed_result()], [some_result(events=())]])
def test_a_page_of_stillness_or_of_nothing_is_whole(tmp_path, results):
    page, _ = page_of(tmp_path, results)
    assert "Nothing moved." in page.text
    assert page.of("form") == []


def test_style_and_script_are_part_of_the_package():
    import tomllib

    root = Path(html_page.__file__).parents[3]
    data = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["bgsub"]
    assert {"motion/reports/*.css", "motion/reports/*.js"} <= set(data)


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.slow
@pytest.mark.needs_system
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
def test_a_browser_shows_the_filters_and_runs_no_name(tmp_path):
    results = [some_result((name,)) for name in HOSTILE]
    page_of(tmp_path, results)
    shown = subprocess.run(
        [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--virtual-time-budget=2000", "--dump-dom", (tmp_path / "night.html").as_uri()),
        ],
        capture_output=True,
        timeout=120,
        check=True,
    ).stdout.decode()
    page = Page(shown)
    assert "<title>Motion: 12 events in 6 recordings</title>" in shown
    assert "12 of 12 shown" in " ".join(page.text)
    assert "hidden" not in page.of("form")[0]
