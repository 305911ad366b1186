"""Copies of a part of a video hold its own pictures, bit for bit, at their times, with their sound."""

import resource
import signal
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from bgsub.errors import OutputError, ParameterError, SourceError
from bgsub.video.opening import open_source, probe
from bgsub.video.writers.copying import Chapter, Copier, copy_clip
from tests.video.clips import pictures, smooth_pictures, write_clip
from tests.video.writers.test_sound import beeps, make_film

LIMITED = """
import resource, sys
from bgsub.errors import OutputError
from bgsub.video.writers.copying import copy_clip
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    copy_clip(sys.argv[1], 0, 5, sys.argv[2])
except OutputError as error:
    print(error)
"""


def film(path, codec="libx264", *, frames=100, gop=25, bf=0, **more):
    options = {"bf": str(bf)} | ({"preset": "ultrafast"} if codec == "libx264" else {}) | more.pop("options", {})
    slopes = smooth_pictures(50, 64, 48)
    images = [slopes[index % 50].copy() for index in range(frames)]
    for index, image in enumerate(images):
        image[:8, :8] = pictures(1, 8, 8, seed=index)[0]
    return write_clip(path, images, codec=codec, pix_fmt="yuv420p", gop=gop, options=options, **more)


def read(path, **selection):
    with open_source(path, prefetch=0, **selection) as source:
        return [(frame.time, frame.image) for frame in source]


def check_is_part(source, copied, tolerance=1e-6):
    """Fail unless a copy has just the frames that it says."""
    wanted = [frame for frame in read(source) if copied.start - 2e-3 <= frame[0] < copied.end - 2e-3]
    found = read(copied.path)
    assert len(found) == len(wanted) == copied.pictures
    for (time, image), (time_here, image_here) in zip(wanted, found, strict=True):
        assert np.array_equal(image, image_here)
        assert time - wanted[0][0] == pytest.approx(time_here, abs=tolerance)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize(
    ("name", "codec", "more"),
    [
        ("plain.mp4", "libx264", {}),
        ("b.mp4", "libx264", {"bf": 3}),
        ("b.mkv", "libx264", {"bf": 3}),
        ("open.ts", "libx264", {"bf": 3, "options": {"x264-params": "open-gop=1"}}),
        ("slices.ts", "libx264", {"options": {"x264-params": "slices=4"}}),
        ("mpeg4.avi", "mpeg4", {}),
        ("b.avi", "mpeg4", {"bf": 2}),
        ("small.mov", "mpeg4", {"gop": 5}),
    ],
)
def test_frames_and_times_are_those_of_the_source(tmp_path, name, codec, more, suffix):
    source = film(tmp_path / name, codec, **more)
    copied = copy_clip(source, 2.3, 3.1, tmp_path / f"copy{suffix}")
    assert copied.start <= 2.3 + 1e-6
    assert copied.end >= 3.1 - 1e-6
    assert copied.start > 2.3 - 1.01 - 0.3  # a key frame comes every second; open groups add pictures before it
    assert copied.end < 3.1 + 0.3
    check_is_part(source, copied, tolerance=1e-6 if suffix == ".mp4" else 1.1e-3)


def test_a_start_on_a_key_frame_reaches_nothing_over(tmp_path):
    source = film(tmp_path / "a.mp4")
    copied = copy_clip(source, 1.0, 2.0, tmp_path / "b.mp4")
    assert (copied.start, copied.end, copied.pictures) == (1.0, 2.0, 25)


def test_the_beginning_and_the_end_of_a_file(tmp_path):
    source = film(tmp_path / "a.mp4", bf=2)
    first = copy_clip(source, 0, 0.5, tmp_path / "first.mp4")
    assert first.start == 0
    check_is_part(source, first)
    last = copy_clip(source, 3.5, 60, tmp_path / "last.mp4")
    assert last.end == pytest.approx(4.0)
    check_is_part(source, last)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_variable_frame_rate_stays_variable(tmp_path, suffix):
    steps = np.tile([40, 40, 80, 200, 40], 24)
    stamps = [0, *np.cumsum(steps)[:-1].tolist()]
    source = film(tmp_path / "a.mkv", frames=len(stamps), pts=stamps, time_base=Fraction(1, 1000), bf=2)
    copied = copy_clip(source, 4.05, 5.0, tmp_path / f"b{suffix}")
    check_is_part(source, copied, tolerance=1.1e-3)
    assert copied.end - 5.0 < 0.45  # a later picture may be needed


def test_a_picture_that_stays_for_minutes_is_not_waited_for(tmp_path):
    stamps = [40 * index for index in range(50)] + [600_000 + 40 * index for index in range(50)]
    source = film(tmp_path / "a.mkv", frames=100, pts=stamps, time_base=Fraction(1, 1000))
    copied = copy_clip(source, 1.5, 3.0, tmp_path / "b.mkv")
    assert copied.end == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("name", "codec", "container"),
    [("ms.avi", "msmpeg4", ".mkv"), ("h.mp4", "libx264", ".mp4"), ("mjpeg.avi", "mjpeg", ".mkv")],
)
def test_the_container_follows_the_codec(tmp_path, name, codec, container):
    source = (
        film(tmp_path / name, codec)
        if codec != "mjpeg"
        else write_clip(tmp_path / name, pictures(60, 64, 48), codec="mjpeg", pix_fmt="yuvj420p")
    )
    copier = Copier(source)
    assert copier.suffix == container
    check_is_part(source, copier.copy(1.3, 2.0, tmp_path / f"copy{container}"), tolerance=1.1e-3)


def test_a_codec_that_the_container_cannot_hold_is_refused(tmp_path):
    source = film(tmp_path / "a.avi", "msmpeg4")
    with pytest.raises(OutputError, match=r"msmpeg4v3 cannot be copied into \.mp4; choose \.mkv"):
        copy_clip(source, 1, 2, tmp_path / "b.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.avi"]


def test_edit_lists_hide_what_they_hid(tmp_path):
    whole = film(tmp_path / "whole.mp4", bf=2)
    cut = tmp_path / "cut.mp4"
    copied = copy_clip(whole, 1.0, 4.0, cut)
    data = bytearray(cut.read_bytes())
    place = data.index(b"elst") + 4 + 8 + 4  # of the first entry's media time
    scale_place = data.index(b"mdhd") + 4 + 12
    scale = int.from_bytes(data[scale_place : scale_place + 4], "big")
    time = int.from_bytes(data[place : place + 4], "big")
    data[place : place + 4] = (time + scale * 12 // 25).to_bytes(4, "big")  # twelve frames are hidden
    cut.write_bytes(data)
    frames = read(cut)
    assert len(frames) == copied.pictures - 12
    again = copy_clip(cut, 0.0, 0.4, tmp_path / "again.mp4")
    assert again.start == pytest.approx(0.0, abs=1e-6)
    check_is_part(cut, again)
    shown = copy_clip(cut, 0.0, 0.4, tmp_path / "again.mkv")  # which has no such list, and says so
    assert shown.start == pytest.approx(-0.48)


def test_rotation_is_kept(tmp_path):
    source = film(tmp_path / "a.mp4")
    data = bytearray(source.read_bytes())
    place = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    for index, value in enumerate([0, -one, 0, one, 0, 0, 0, 0, 1 << 30]):
        data[place + 4 * index : place + 4 * index + 4] = value.to_bytes(4, "big", signed=True)
    source.write_bytes(data)
    for suffix in (".mp4", ".mkv"):
        copied = copy_clip(source, 1.2, 2, tmp_path / f"b{suffix}")
        assert probe(copied.path)["rotation"] == probe(source)["rotation"] == 90
        check_is_part(source, copied)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["aac.mp4", "aac.ts", "opus.webm", "mp3.mkv", "pcm.avi", "ac3.mkv"])
def test_sound_comes_along_in_step(tmp_path, name):
    source = make_film(tmp_path / name, name)
    copier = Copier(source)
    copied = copier.copy(2.3, 4.2, tmp_path / f"copy{copier.suffix}")
    assert copied.sound
    codec, found, begins, ends = beeps(copied.path)
    wanted, times, *_ = beeps(source)
    assert codec == wanted
    with open_source(source, prefetch=0) as opened:
        times = [time - float(opened.sound.origin) for time in times]
    wanted = [time - copied.start for time in times if copied.start + 0.1 < time < copied.end - 0.1]
    assert all(min(abs(time - here) for here in found) < 0.02 for time in wanted)
    assert len(wanted) >= 2
    assert begins < 0.05
    assert ends == pytest.approx(copied.end - copied.start, abs=0.06)


@pytest.mark.slow
def test_sound_that_no_container_takes_is_encoded(tmp_path):
    source = tmp_path / "phone.mov"
    plain = make_film(tmp_path / "plain.mp4")
    with av.open(str(plain)) as given, av.open(str(source), "w") as container:
        video = container.add_stream_from_template(given.streams.video[0])
        audio = container.add_stream("pcm_mulaw", rate=8000, layout="mono")
        resampler = av.AudioResampler("s16", "mono", 8000)
        for packet in given.demux():
            if packet.size and packet.stream.type == "video":
                packet.stream = video
                container.mux(packet)
            for frame in packet.decode() if packet.stream.type == "audio" else ():
                for piece in resampler.resample(frame):
                    container.mux(audio.encode(piece))
    copier = Copier(source)
    assert copier.suffix == ".mp4"
    copied = copier.copy(1.5, 3.5, tmp_path / "copy.mp4")
    assert copied.sound
    codec, found, *_ = beeps(copied.path)
    assert codec == "aac"
    wanted = [time - copied.start for time in beeps(source)[1] if copied.start + 0.1 < time < copied.end - 0.1]
    assert [time for time in found if time > 0.1] == pytest.approx(wanted, abs=0.03)
    assert len(wanted) >= 2


def test_chapters_are_those_of_the_source_s_times(tmp_path):
    source = film(tmp_path / "a.mp4")
    chapters = [Chapter(1.2, 1.8, "event 1"), Chapter(3.0, 3.5, "event 2: Tor")]
    copied = copy_clip(source, 0, float("inf"), tmp_path / "b.mkv", chapters=chapters)
    assert chapters_of(copied.path) == [(1.2, 1.8, "event 1"), (3.0, 3.5, "event 2: Tor")]
    check_is_part(source, copied, tolerance=1.1e-3)


def chapters_of(path):
    with av.open(str(path)) as container:
        return [
            (float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"]), c["metadata"].get("title", ""))
            for c in container.chapters()
        ]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_a_copy_keeps_the_chapters_that_lie_in_it(tmp_path, suffix):
    own = [Chapter(0.0, 1.0, "dawn"), Chapter(1.0, 1.8, "Tür"), Chapter(1.8, 3.4, ""), Chapter(3.4, 4.0, "dusk")]
    source = copy_clip(film(tmp_path / "plain.mp4"), 0, 4, tmp_path / f"a{suffix}", chapters=own).path
    part = copy_clip(source, 1.5, 3.2, tmp_path / f"b{suffix}")
    assert part.start == pytest.approx(1.0, abs=1e-3)
    assert chapters_of(part.path) == [(0.0, 0.8, "Tür"), (0.8, 2.2, "")]
    whole = copy_clip(source, 0, float("inf"), tmp_path / f"c{suffix}")
    assert [chapter[2] for chapter in chapters_of(whole.path)] == ["dawn", "Tür", "", "dusk"]
    others = [Chapter(2.0, 2.5, "event 1"), Chapter(3.0, 3.1, "event 2")]
    other = copy_clip(source, 1.5, 3.2, tmp_path / f"d{suffix}", chapters=others)
    named = [chapter for chapter in chapters_of(other.path) if chapter[2]]
    assert named == [(1.0, 1.5, "event 1"), (2.0, 2.1, "event 2")]
    none = copy_clip(other.path, 0.0, 0.5, tmp_path / f"e{suffix}")  # which begins and ends before the first one
    assert [chapter[2] for chapter in chapters_of(none.path) if chapter[2]] == []


def test_what_is_no_video_file_is_refused(tmp_path):
    from PIL import Image

    for index in range(3):
        Image.fromarray(pictures(1)[0]).save(tmp_path / f"in{index}.png")
    with pytest.raises(SourceError, match=r"cannot be copied: images are no video; encode its clips anew"):
        Copier(tmp_path)
    raw = film(tmp_path / "raw.h264", container_format="h264")
    with pytest.raises(SourceError, match=r"raw cannot be copied: it .*times; encode its clips anew"):
        copy_clip(raw, 0, 1, tmp_path / "x.mp4")


def test_a_file_whose_clock_is_set_is_refused(tmp_path):
    first = film(tmp_path / "a.ts").read_bytes()
    second = film(tmp_path / "b.ts", pts=[index + 2500 for index in range(100)], time_base=Fraction(1, 25))
    (tmp_path / "joined.ts").write_bytes(first + second.read_bytes())
    with pytest.raises(SourceError, match=r"joined cannot be copied: its clock is set at 4\.0 s; encode"):
        Copier(tmp_path / "joined.ts")


def test_times_out_of_bounds_are_refused(tmp_path):
    source = film(tmp_path / "a.mp4")
    with pytest.raises(ParameterError, match="end=1 is out of bounds; give seconds above start=2"):
        copy_clip(source, 2, 1, tmp_path / "b.mp4")
    with pytest.raises(SourceError, match=r"nothing of a lies after 9\.00 s: it ends at 4\.00 s"):
        copy_clip(source, 9, 12, tmp_path / "b.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4"]


def test_nothing_is_overwritten_unless_told(tmp_path):
    source = film(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_bytes(b"kept")
    with pytest.raises(OutputError, match="exists; pass --overwrite"):
        copy_clip(source, 0, 1, tmp_path / "b.mp4")
    assert (tmp_path / "b.mp4").read_bytes() == b"kept"
    check_is_part(source, copy_clip(source, 0, 1, tmp_path / "b.mp4", overwrite=True))
    with pytest.raises(OutputError, match="it is the input"):
        copy_clip(source, 0, 1, source, overwrite=True)


def test_a_damaged_source_is_copied_as_far_as_it_reaches(tmp_path):
    source = film(tmp_path / "a.ts")
    data = source.read_bytes()
    source.write_bytes(data[: len(data) * 3 // 4])
    copied = copy_clip(source, 1.2, 4.0, tmp_path / "b.mp4")
    assert 2.0 < copied.end < 4.0
    assert len(read(copied.path)) >= copied.pictures - 1  # the last may be cut off


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE") or not hasattr(signal, "SIGXFSZ"), reason="no limits here")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_full_disk_leaves_nothing_broken(tmp_path, suffix):
    source = write_clip(tmp_path / "a.mkv", pictures(100, 64, 48), codec="mpeg4", pix_fmt="yuv420p")
    run = [sys.executable, "-c", LIMITED, str(source), str(tmp_path / f"b{suffix}")]
    told = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert told.startswith(f"cannot write {tmp_path / f'b{suffix}'}: File too large; raise the limit"), told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mkv"]
