"""What the names on a command line mean: files, folders, patterns, each input with its place."""

import logging
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgsub.errors import SourceError
from bgsub.jobs.inputs import find_inputs


@pytest.fixture
def tree(workplace):
    """Makes empty files."""

    def make(*names):
        for name in names:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).touch()

    return make


def found(*names, **options):
    """Source, folder and name of each input."""
    return [(item.source, item.folder, item.name) for item in find_inputs(names, **options).each]


def sources(*names, **options):
    return [item.source for item in find_inputs(names, **options).each]


def errors(*names, **options):
    return [item.error for item in find_inputs(names, **options).each]


def test_one_file_is_one_input(tree):
    tree("clips/street.mp4")
    inputs = find_inputs(["clips/street.mp4"])
    assert not inputs.several
    assert inputs.source == "clips/street.mp4"
    assert (inputs.name, inputs.each[0].full_name, inputs.each[0].folder) == ("street", "street.mp4", "")


@pytest.mark.parametrize("source", ["-", "0", "12", "rtsp://camera/stream", "http://h/a.mp4?token=1", ""])
def test_what_is_no_path_stays_as_it_is(source):
    inputs = find_inputs([source])
    assert inputs.source == source
    assert not inputs.several
    assert not inputs.each[0].is_path


def test_names_of_what_is_no_path():
    names = [item.name for item in find_inputs(["-", "3", "rtsp://u:secret@cam.lan:554/yard/main?pw=x"]).each]
    assert names == ["stdin", "camera3", "cam.lan-main"]


def test_an_identity_shows_no_secret_and_keeps_addresses_apart():
    first, second, plain = find_inputs(["rtsp://u:secret@h/a?pw=x", "rtsp://u:secret@h/a?pw=y", "rtsp://h/a"]).each
    assert "secret" not in first.identity + first.shown
    assert "pw" not in first.identity
    assert len({first.identity, second.identity, plain.identity}) == 3
    assert plain.identity == "rtsp://h/a"


def test_a_folder_of_digits_is_a_folder(tree):
    tree("2024/a.mp4")
    assert sources("2024") == ["2024/a.mp4"]


def test_several_files_are_mirrored_below_the_folder_they_have_in_common(tree):
    tree("rec/cam1/a.ts", "rec/cam2/day/a.ts", "rec/b.ts")
    assert found("rec/cam1/a.ts", "rec/cam2/day/a.ts", "rec/b.ts") == [
        ("rec/cam1/a.ts", "cam1", "a"),
        ("rec/cam2/day/a.ts", "cam2/day", "a"),
        ("rec/b.ts", "", "b"),
    ]
    assert [folder for _, folder, _ in found("rec/cam1/../cam1/a.ts", "rec/cam2/day/a.ts")] == ["cam1", "cam2/day"]


def test_all_together_are_one_source(tree):
    tree("a.ts", "b.ts", "c.ts")
    assert find_inputs(["a.ts", "b.ts", "c.ts"]).source == ("a.ts", "b.ts", "c.ts")
    assert find_inputs(["a.ts", "b.ts", "c.ts"]).name == "a+2"
    assert find_inputs(["a.ts"]).name == "a"


def test_an_input_that_is_named_twice_is_there_once(tree, workplace):
    tree("a.ts", "b.ts")
    assert sources("a.ts", "./a.ts", str(workplace / "a.ts"), "*.ts") == ["a.ts", "b.ts"]
    assert sources("a.ts", "a.ts", "b.ts", repeated=True) == ["a.ts", "a.ts", "b.ts"]


def test_videos_of_a_folder_come_by_their_numbers(tree):
    tree("rec/cam_10.mp4", "rec/cam_9.MP4", "rec/cam_1.mkv", "rec/notes.txt", "rec/.hidden.mp4", "rec/deep/x.mp4")
    inputs = find_inputs(["rec"])
    assert inputs.several
    assert [item.source for item in inputs.each] == ["rec/cam_1.mkv", "rec/cam_9.MP4", "rec/cam_10.mp4"]


def test_a_folder_with_one_video_may_have_more_tomorrow(tree):
    tree("rec/a.mp4", "one.mp4")
    assert find_inputs(["rec"]).several
    assert find_inputs(["rec/*.mp4"]).several
    assert not find_inputs(["one.mp4"]).several


def test_of_videos_and_pictures_the_videos_are_taken_and_that_is_said(tree, caplog):
    tree("rec/a.mp4", "rec/b.mp4", "rec/shot.jpg")
    assert sources("rec") == ["rec/a.mp4", "rec/b.mp4"]
    assert caplog.messages == ["rec holds videos and pictures: the 2 videos are taken"]


def test_a_folder_of_pictures_is_one_sequence(tree):
    tree("shots/1.png", "shots/2.png", "seq/input/in1.jpg", "seq/groundtruth/gt1.png")
    assert found("shots") == [("shots", "", "shots")]
    assert found("seq") == [("seq", "", "seq")]
    assert found("seq/input") == [("seq/input", "", "seq")]
    assert found("shots", "seq") == [("shots", "", "shots"), ("seq", "", "seq")]
    assert not find_inputs(["shots"]).several


def test_the_current_folder_has_a_name(tree, workplace):
    tree("1.png", "2.png")
    assert found(".") == [(".", "", workplace.name)]


def test_recursive_finds_videos_at_any_depth_and_mirrors_them(tree):
    tree("rec/b.mp4", "rec/cam10/a.mp4", "rec/cam9/day 1/a.ts", "rec/.trash/x.mp4")
    assert found("rec", recursive=True) == [
        ("rec/b.mp4", "", "b"),
        ("rec/cam9/day 1/a.ts", "cam9/day 1", "a"),
        ("rec/cam10/a.mp4", "cam10", "a"),
    ]


def test_places_do_not_depend_on_what_is_there_today(tree):
    tree("rec/cam1/a.mp4")
    assert found("rec", recursive=True) == [("rec/cam1/a.mp4", "cam1", "a")]
    assert found("rec/*/*.mp4") == [("rec/cam1/a.mp4", "cam1", "a")]


def test_recursive_takes_sequences_where_there_is_no_video(tree):
    tree("set/base/road/input/in1.jpg", "set/base/road/groundtruth/gt1.png", "set/base/road/ROI.bmp", "set/night/1.png")
    assert found("set", recursive=True) == [("set/base/road", "base", "road"), ("set/night", "", "night")]
    assert found("set/base/road", recursive=True) == [("set/base/road", "", "road")]


def test_recursive_leaves_pictures_beside_videos(tree, caplog):
    tree("rec/a.mp4", "rec/thumbs/a.jpg")
    assert sources("rec", recursive=True) == ["rec/a.mp4"]
    assert caplog.messages == ["rec holds videos and folders of pictures: the video is taken"]


@pytest.mark.skipif(sys.platform == "win32", reason="links")
def test_a_circle_of_links_ends(tree):
    tree("rec/cam/a.mp4")
    Path("rec/cam/up").symlink_to("..", target_is_directory=True)
    assert sources("rec", recursive=True) == ["rec/cam/a.mp4"]


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes")
def test_a_link_that_leads_nowhere_is_an_input_and_a_pipe_is_none(tree):
    tree("rec/a.mp4")
    Path("rec/b.mp4").symlink_to("gone.mp4")
    os.mkfifo("rec/c.mp4")
    assert sources("rec") == ["rec/a.mp4", "rec/b.mp4"]
    assert sources("rec/*.mp4") == ["rec/a.mp4", "rec/b.mp4"]


def test_a_folder_without_anything_says_where_to_look(tree):
    tree("rec/cam1/a.mp4", "text/notes.txt")
    assert errors("rec") == ["cannot open rec: its videos or images are in folders below; add --recursive"]
    assert errors("text") == ["cannot open text: it holds no video and no image; check the path"]
    assert errors("text", recursive=True) == [
        "cannot open text: it and the folders below hold no video and no image; check the path"
    ]
    with pytest.raises(SourceError, match="it holds no video and no image"):
        _ = find_inputs(["text"]).source


def test_results_in_a_folder_are_no_inputs(tree, caplog):
    caplog.set_level(logging.INFO, "bgsub")
    tree("rec/a.mp4", "rec/a.mask.mkv", "rec/a.mask-2.mkv", "rec/a.truth.mkv", "rec/b.mkv", "rec/b.overlay.mp4")
    assert sources("rec") == ["rec/a.mp4", "rec/b.mkv"]
    assert caplog.messages == ["rec: a.mask.mkv is left out, and 3 more like it: a result, no input"]
    assert sources("rec/*.mkv") == ["rec/b.mkv"]
    assert sources("rec/*.mask.mkv") == ["rec/a.mask.mkv"]
    assert sources("rec/a.truth.mkv") == ["rec/a.truth.mkv"]
    tree("old/a.mask.mkv")
    assert errors("old") == ["cannot open old: it holds only masks and other results; give the folder of the videos"]
    assert "only masks and other results fit this pattern" in errors("old/*.mkv")[0]


# ------------------------------------------------------------------------------------------------------------ patterns


def test_patterns_of_videos(tree):
    tree("my recordings/cam_1.mp4", "my recordings/cam_10.mp4", "my recordings/cam_2.mp4", "my recordings/other.mp4")
    assert sources("my recordings/cam_*.mp4") == [f"my recordings/cam_{n}.mp4" for n in (1, 2, 10)]
    assert sources("my recordings/cam_?.mp4") == [f"my recordings/cam_{n}.mp4" for n in (1, 2)]
    assert sources("my recordings/[!c]*.mp4") == ["my recordings/other.mp4"]
    assert sources("*/cam_1*.mp4") == [f"my recordings/cam_{n}.mp4" for n in (1, 10)]


def test_two_stars_are_folders_at_any_depth(tree):
    tree("rec/a.ts", "rec/x/a.ts", "rec/x/y/b.ts", "rec/x/y/c.mp4")
    assert found("rec/**/*.ts") == [("rec/a.ts", "", "a"), ("rec/x/a.ts", "x", "a"), ("rec/x/y/b.ts", "x/y", "b")]
    assert sources("**/*.mp4") == ["rec/x/y/c.mp4"]
    assert sources("rec/**") == ["rec/a.ts", "rec/x/a.ts", "rec/x/y/b.ts", "rec/x/y/c.mp4"]


def test_what_exists_is_no_pattern(tree):
    tree("a[1].mp4", "a1.mp4", "day [2]/b.mp4", "day 2/b.mp4", "*.mp4")
    assert sources("a[1].mp4") == ["a[1].mp4"]
    assert sources("day [2]/*.mp4") == ["day [2]/b.mp4"]
    assert sources("day [2]") == ["day [2]/b.mp4"]
    assert sources("*.mp4") == ["*.mp4"]
    assert sources("a[12].mp4") == ["a1.mp4"]


def test_a_pattern_of_any_extension(tree):
    tree("rec/a.dav", "rec/b.dav", "rec/a.txt", "mix/a.mp4", "mix/a.txt", "mix/b.jpg")
    assert sources("rec/*.dav") == ["rec/a.dav", "rec/b.dav"]
    assert sources("mix/*") == ["mix/a.mp4"]  # what is known for a video goes before the rest


def test_patterns_of_pictures_are_sequences(tree):
    tree("shots/in1.jpg", "shots/in2.jpg", "seq1/1.png", "seq2/1.png")
    assert found("shots/in*.jpg") == [("shots/in*.jpg", "", "shots")]
    assert found("shots/in%d.jpg") == [("shots/in%d.jpg", "", "shots")]
    assert found("seq*/*.png") == [("seq1/*.png", "", "seq1"), ("seq2/*.png", "", "seq2")]
    assert not find_inputs(["shots/in*.jpg"]).several


def test_pictures_that_a_shell_has_named_one_by_one_are_sequences(tree):
    tree(*(f"shots/in{n}.png" for n in (1, 10, 2)), "other/1.png", "other/2.png", "one/1.png", "a.mp4")
    inputs = find_inputs(["shots/in1.png", "shots/in10.png", "shots/in2.png"])
    assert not inputs.several
    assert inputs.source == ("shots/in1.png", "shots/in2.png", "shots/in10.png")
    (item,) = inputs.each
    assert (item.name, item.folder, item.shown) == ("shots", "", "shots/in1.png and 2 more")
    inputs = find_inputs(["a.mp4", "shots/in1.png", "other/1.png", "one/1.png", "shots/in2.png", "other/2.png"])
    assert inputs.several
    assert [(item.name, item.reads) for item in inputs.each] == [
        ("a", ("a.mp4",)),
        ("shots", ("shots/in1.png", "shots/in2.png")),
        ("other", ("other/1.png", "other/2.png")),
        ("1", ("one/1.png",)),
    ]
    identities = {find_inputs(["shots/in1.png", f"shots/in{n}.png"]).each[0].identity for n in (2, 10)}
    assert len(identities) == 2


@pytest.fixture
def films(workplace):
    """Two stacks of pages, an animation, and a picture."""
    Path("films").mkdir()
    picture = np.zeros((8, 8), np.uint8)
    for name in ("a1.tif", "a2.tif"):
        cv2.imwritemulti(f"films/{name}", [picture] * 3)
    Path("films/b.gif").write_bytes(b"GIF89a" + bytes(40))
    cv2.imwrite("films/c.png", picture)
    return ["films/a1.tif", "films/a2.tif", "films/b.gif"]


def test_animations_and_stacks_are_films_of_their_own(films, caplog):
    assert sources("films") == sources("films/*") == sources(*films) == films
    assert "films holds videos and pictures: the 3 videos are taken" in caplog.text
    assert sources("films/*.tif") == films[:2]
    assert sources("films", recursive=True) == films
    assert sources(".", recursive=True) == films
    assert sources("films/a1.tif") == films[:1]
    assert find_inputs(["films/a1.tif", "films/a2.tif"]).several


def test_an_animation_among_pictures_is_none_of_a_sequence(films):
    cv2.imwrite("films/0.png", np.zeros((8, 8), np.uint8))
    assert sources("films") == ["films"]  # by its first picture; the reader warns of the others
    assert [item.reads for item in find_inputs(["films/0.png", "films/a1.tif", "films/c.png"]).each] == [
        ("films/0.png", "films/c.png"),
        ("films/a1.tif",),
    ]


def test_a_pattern_of_folders(tree):
    tree("cam1/a.mp4", "cam2/a.mp4", "cam3/notes.txt")
    assert found("cam[12]") == [("cam1/a.mp4", "cam1", "a"), ("cam2/a.mp4", "cam2", "a")]
    assert len(errors("cam*")) == 3
    tree("camera.mp4")  # what fits the pattern in a shell, without what is no video
    assert sources("cam*") == ["camera.mp4", "cam1/a.mp4", "cam2/a.mp4"]


def test_a_pattern_that_nothing_fits(tree):
    tree("a.mp4")
    assert sources("a.mp4", "b*.mp4") == ["a.mp4", "b*.mp4"]
    assert errors("b*.mp4", "x/*.mp4") == [
        "cannot open b*.mp4: no file fits this pattern; check it and its folder",
        "cannot open x/*.mp4: no file fits this pattern; check it and its folder",
    ]


@pytest.mark.parametrize("text", ["'a b.mp4'", '"a b.mp4"', " 'a b.mp4' ", "file://{}/a%20b.mp4"])
def test_a_pasted_path(tree, workplace, text):
    tree("a b.mp4")
    (source,) = sources(text.format(workplace))
    assert Path(source).samefile("a b.mp4")


def test_quotation_marks_that_belong_to_the_name(tree):
    tree("'a'.mp4", "'rec'/b.mp4")
    assert sources("'a'.mp4") == ["'a'.mp4"]
    assert sources("'rec'") == ["'rec'/b.mp4"]
    assert sources("\"'rec'/*.mp4\"") == ["'rec'/b.mp4"]


def test_a_home_that_no_shell_has_put_in(tree, workplace, monkeypatch):
    monkeypatch.setenv("HOME", str(workplace))
    tree("rec/a.mp4")
    assert sources("~/rec/*.mp4") == [str(workplace / "rec/a.mp4")]
    assert sources("~nobody-of-this-name/x.mp4") == ["~nobody-of-this-name/x.mp4"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read(tree):
    tree("rec/a.mp4", "rec/closed/b.mp4")
    Path("rec/closed").chmod(0)
    try:
        assert sources("rec", recursive=True) == ["rec/closed", "rec/a.mp4"]
        assert "cannot look into rec/closed: Permission denied" in errors("rec", recursive=True)[0]
    finally:
        Path("rec/closed").chmod(0o755)


def test_names_of_every_kind_of_character(tree):
    names = ["rain's day (2).mp4", "ünïcödé.mp4", "-x.mp4", "a;b&c.mp4", "tab\tname.mp4", "new\nline.mp4"]
    tree(*(f"rec/{name}" for name in names))
    assert sorted(sources("rec")) == sorted(f"rec/{name}" for name in names)
    assert sorted(item.full_name for item in find_inputs(["rec/*"]).each) == sorted(names)


def test_nothing_is_no_input():
    with pytest.raises(SourceError, match="no input is given"):
        find_inputs([])


def test_more_than_anybody_means(tree, monkeypatch):
    for module in ("inputs", "matches"):
        monkeypatch.setattr(f"bgsub.jobs.{module}.MOST_INPUTS", 3)
    tree(*(f"rec/{n}.mp4" for n in range(4)))
    for name in ("rec", "rec/*.mp4"):
        with pytest.raises(SourceError, match="more than 3 inputs"):
            find_inputs([name])
