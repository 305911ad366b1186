"""What the name of a source means, and that what exists comes first."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.video.locating import locate
from bgsub.video.opening import open_source
from tests.video.clips import smooth_pictures, write_clip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def count(source: str | Path) -> int:
    with open_source(source) as opened:
        return len(list(opened))


def test_a_folder_named_by_digits_is_a_folder(here: Path) -> None:
    for name in ("2024", "0"):
        (here / name).mkdir()
        for index in range(3):
            cv2.imwrite(f"{name}/{index}.png", np.full((8, 8), index, np.uint8))
        assert count(name) == count(Path(name)) == 3


def test_a_file_named_by_digits_is_a_file(here: Path) -> None:
    write_clip(here / "17.mkv", smooth_pictures(4)).rename(here / "17")
    assert count("17") == count(Path("17")) == 4


@pytest.mark.parametrize("source", ["0", "7", "9999", 3])
def test_digits_are_a_camera_where_nothing_is_called_so(here: Path, source: str | int) -> None:
    assert locate(source) == int(source)


@pytest.mark.parametrize("source", ["12345", "1.5", "\u0664", "-1"])
def test_other_numbers_are_paths(here: Path, source: str) -> None:
    assert locate(source) == Path(source)


def test_a_path_is_never_a_camera(here: Path) -> None:
    assert locate(Path("0")) == Path("0")
    with pytest.raises(SourceError, match=r"^cannot open 2024: no such file or folder; check the path$"):
        open_source(Path("2024"))


@pytest.mark.parametrize(
    "typed",
    [
        "'{}'", '"{}"', "'{}' ", " \"{}\"\n", "\u2018{}\u2019", "\u201c{}\u201d", "  {}  ", "{}\n",
    ],
)  # fmt: skip
def test_a_pasted_path_in_quotes(here: Path, typed: str) -> None:
    write_clip(here / "a b's.mkv", smooth_pictures(3))
    assert count(typed.format("a b's.mkv")) == 3
    assert locate(typed.format(here / "a b's.mkv")) == here / "a b's.mkv"


def test_quotes_that_are_part_of_a_name(here: Path) -> None:
    write_clip(here / "a.mkv", smooth_pictures(3)).rename(here / "'a.mkv'")
    assert count("'a.mkv'") == 3


@pytest.mark.skipif(os.sep != "/", reason="elsewhere a backslash parts folders")
def test_a_path_with_a_shells_escapes(here: Path) -> None:
    write_clip(here / "a (b).mkv", smooth_pictures(3))
    assert count(r"a\ \(b\).mkv") == 3


def test_a_path_from_home(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("USERPROFILE", str(here))
    write_clip(here / "a.mkv", smooth_pictures(3))
    assert count("~/a.mkv") == count("'~/a.mkv'") == 3


@pytest.mark.parametrize("typed", ["{}", "'{}'", "{} ", '"{}"'])
def test_a_file_url(here: Path, typed: str) -> None:
    write_clip(here / "a b.mkv", smooth_pictures(3))
    assert count(typed.format((here / "a b.mkv").as_uri())) == 3
    assert count(typed.format((here / "a b.mkv").as_uri().replace("file:", "FILE:"))) == 3


@pytest.mark.parametrize("typed", ["rtsp://cam/1", "'rtsp://cam/1'", " rtsp://cam/1\n"])
def test_an_address(here: Path, typed: str) -> None:
    assert locate(typed) == "rtsp://cam/1"


def test_what_is_nowhere_is_named_as_it_was_typed(here: Path) -> None:
    with pytest.raises(SourceError, match=r"^cannot open 'nowhere.mp4': no such file or folder; check the path$"):
        open_source("'nowhere.mp4'")


def test_the_home_of_nobody_is_a_path_that_is_not_there():
    assert locate("~nobody-of-this-name/x.mp4") == Path("~nobody-of-this-name/x.mp4")
