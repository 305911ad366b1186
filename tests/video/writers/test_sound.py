"""Overlays are heard as the source is, in step with their pictures."""

import errno
import io
import logging
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from bgsub.video.opening import open_source
from bgsub.video.sound import Sound
from bgsub.video.writers.sound import SoundTrack
from bgsub.video.writers.videos import overlay_sink
from tests.video.writers.sink_clips import clip_frame, clip_info, clip_mask, mp4_boxes

pytestmark = pytest.mark.slow  # dozens of films with sound

FPS, SECONDS = 25, 5
CODECS = {
    "aac.mp4": ("mpeg4", "aac", 44_100),
    "aac.ts": ("mpeg2video", "aac", 48_000),
    "opus.webm": ("libvpx-vp9", "libopus", 48_000),
    "mp3.mkv": ("mpeg4", "libmp3lame", 44_100),
    "pcm.avi": ("mpeg4", "pcm_s16le", 22_050),
    "ac3.mkv": ("mpeg4", "ac3", 48_000),
}


def make_film(path, name="aac.mp4", *, seconds=SECONDS, sound_from=0.0, picture_from=0.0):
    """A second-by-second beep of 0.1 s, over pictures whose upper rows flash with it."""
    picture, sound, rate = CODECS[name]
    times = np.arange(round(seconds * rate)) / rate
    wave = (np.sin(2 * np.pi * 800 * times) * (times % 1 < 0.1) * 25_000).astype(np.int16)
    with av.open(str(path), "w") as container:
        video = container.add_stream(picture, rate=FPS)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream(sound, rate=rate)
        audio.codec_context.layout = "mono"
        audio.codec_context.open(strict=False)
        for index in range(round(seconds * FPS)):
            image = np.full((48, 64), 60, np.uint8)
            image[:16] = 230 if index % FPS < 3 else 60
            frame = av.VideoFrame.from_ndarray(image, format="gray")
            frame.pts, frame.time_base = index + round(picture_from * FPS), Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        resampler = av.AudioResampler(audio.codec_context.format, "mono", rate, audio.codec_context.frame_size or None)
        place = begin = round(sound_from * rate)
        for start in range(begin, len(wave), 1024):
            samples = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="s16", layout="mono")
            samples.sample_rate = rate
            for piece in resampler.resample(samples):
                piece.pts, piece.time_base = place, Fraction(1, rate)
                place += piece.samples
                container.mux(audio.encode(piece))
        container.mux(audio.encode(None))
    return path


def overlay(source, target, sound=True, **selection):
    with open_source(source, **selection) as film:
        heard = film.sound if sound is True else sound
        with overlay_sink(target, film.info, overwrite=True, sound=heard) as sink:
            for frame in film:
                sink.write(frame, np.zeros(frame.image.shape[:2], np.uint8))
    return target


def beeps(path):
    """Codec of the sound, times at which a beep begins, and of first and last sample."""
    found, last, first, end = [], -1.0, None, 0.0
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        for frame in container.decode(stream):
            time = float(frame.pts * stream.time_base)
            first, end = time if first is None else first, time + frame.samples / frame.sample_rate
            samples = frame.to_ndarray().astype(float).reshape(-1)
            loud = np.abs(samples) > (0.3 if samples.size and np.abs(samples).max() < 2 else 9000)
            for place in np.flatnonzero(loud):
                if time + place / frame.sample_rate - last > 0.3:
                    found.append(time + place / frame.sample_rate)
                last = time + place / frame.sample_rate
        return stream.codec_context.codec.canonical_name, found, first, end


def flashes(path):
    found, before = [], False
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            bright = frame.to_ndarray(format="gray")[:10].mean() > 150
            if bright and not before:
                found.append(float(frame.pts * stream.time_base))
            before = bright
    return found


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
@pytest.mark.parametrize("name", list(CODECS))
def test_sound_is_kept_in_step(tmp_path, name, suffix):
    source = make_film(tmp_path / name, name)
    codec, heard, first, end = beeps(overlay(source, tmp_path / f"o.{suffix}"))
    np.testing.assert_allclose(heard[1:], flashes(tmp_path / f"o.{suffix}")[1:], atol=0.04)
    assert len(heard) == SECONDS
    assert first < 0.06 and abs(end - SECONDS) < 0.06
    stays = {("aac.mp4", "mp4"), ("aac.mp4", "mkv"), ("opus.webm", "mp4"), ("opus.webm", "mkv"), ("opus.webm", "webm")}
    stays |= {("mp3.mkv", "mp4"), ("mp3.mkv", "mkv"), ("ac3.mkv", "mkv"), ("pcm.avi", "mkv")}
    original = beeps(source)[0]
    assert codec == (original if (name, suffix) in stays else "opus" if suffix == "webm" else "aac")


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
@pytest.mark.parametrize("name", ["aac.mp4", "aac.ts", "mp3.mkv"])
@pytest.mark.parametrize(("start", "duration"), [(0.5, 2.0), (4.5, 3.0), (6.2, None)])
def test_sound_is_cut_with_the_pictures(tmp_path, name, suffix, start, duration):
    source = make_film(tmp_path / name, name, seconds=8)
    target = overlay(source, tmp_path / f"o.{suffix}", start=start, duration=duration)
    _, heard, first, end = beeps(target)
    stop = 8 if duration is None else start + duration
    np.testing.assert_allclose(heard, np.arange(np.ceil(start), stop), atol=0.04)
    np.testing.assert_allclose(flashes(target), heard, atol=0.04)
    assert start - 0.01 <= first < start + 0.12
    assert stop - 0.1 < end < stop + 0.12


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
@pytest.mark.parametrize(("sound_from", "picture_from"), [(2.0, 0.0), (0.0, 2.0)])
def test_what_begins_late_stays_late(tmp_path, suffix, sound_from, picture_from):
    """Of a video that begins after its sound the pictures count from 0, and so does what is heard with them."""
    source = make_film(tmp_path / "f.mkv", "mp3.mkv", sound_from=sound_from, picture_from=picture_from)
    _, heard, first, _ = beeps(overlay(source, tmp_path / f"o.{suffix}"))
    expected = np.arange(sound_from, SECONDS - picture_from)
    np.testing.assert_allclose(heard[-2:], expected[-2:], atol=0.04)
    assert first == pytest.approx(sound_from, abs=0.08)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_every_third_frame_is_heard_in_full(tmp_path, suffix):
    source = make_film(tmp_path / "f.mp4")
    _, heard, _, end = beeps(overlay(source, tmp_path / f"o.{suffix}", every=3))
    np.testing.assert_allclose(heard[1:], range(1, SECONDS), atol=0.04)
    assert end == pytest.approx(SECONDS, abs=0.15)


def test_a_finished_mp4_with_sound_is_an_ordinary_one(tmp_path):
    boxes = mp4_boxes(overlay(make_film(tmp_path / "f.mp4"), tmp_path / "o.mp4"))
    assert "moov" in boxes and "moof" not in boxes


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm"])
def test_an_unfinished_file_has_its_sound(tmp_path, suffix):
    source = make_film(tmp_path / "f.mp4")
    with open_source(source) as film, overlay_sink(tmp_path / f"o.{suffix}", film.info, sound=film.sound) as sink:
        for frame in film:
            sink.write(frame, np.zeros((48, 64), np.uint8))
        shutil.copy(tmp_path / f"o.{suffix}", tmp_path / f"killed.{suffix}")
    _, heard, _, end = beeps(tmp_path / f"killed.{suffix}")
    np.testing.assert_allclose(heard[1:4], [1, 2, 3], atol=0.04)
    assert end > SECONDS - 1.6
    assert len(flashes(tmp_path / f"killed.{suffix}")) >= SECONDS - 1


def test_where_sound_cannot_be_kept_in_step_there_is_none(tmp_path):
    source = make_film(tmp_path / "f.mp4")
    for options in ({"fps": 10}, {"fps": 10, "prefetch": 0}):
        with open_source(source, **options) as film:
            assert film.sound is None
    with open_source(source) as film:
        assert film.sound is not None and film.sound.path == str(source)
    with open_source("sample_videos/street.mp4") as silent:
        assert silent.sound is None


def test_sound_that_is_gone_is_told(tmp_path, caplog):
    source = make_film(tmp_path / "f.mp4")
    with caplog.at_level(logging.WARNING):
        overlay(source, tmp_path / "o.mp4", sound=Sound(str(tmp_path / "gone.mp4"), Fraction(0)))
        overlay(source, tmp_path / "p.mkv", sound=Sound("sample_videos/street.mp4", Fraction(0)))
    first, second = [record.getMessage() for record in caplog.records]
    assert first.startswith(f"{tmp_path / 'o.mp4'} is without sound: cannot open {tmp_path / 'gone.mp4'}: No such file")
    assert second == (
        f"{tmp_path / 'p.mkv'} is without sound: sample_videos/street.mp4 holds no sound that can be read; leave it out"
    )
    assert len(flashes(tmp_path / "o.mp4")) == len(flashes(tmp_path / "p.mkv")) == SECONDS


def test_damaged_sound_is_silent_there_and_told_once(tmp_path, caplog):
    source = make_film(tmp_path / "f.mkv", "ac3.mkv")
    content = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        for packet in container.demux(audio=0):
            if packet.pts is not None and 1.9 < packet.pts * packet.time_base < 2.4:
                at = content.index(bytes(packet), packet.pos)
                content[at : at + packet.size] = bytes(packet.size)
    source.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        _, found, _, end = beeps(overlay(source, tmp_path / "o.mp4"))
    (told,) = [record.getMessage() for record in caplog.records if "sound" in record.getMessage()]
    assert told.startswith(f"{source}: its sound is damaged at 1.9 s (Invalid data found")
    assert told.endswith("and silent there; more like it is not told")
    assert [round(time) for time in found] == [0, 1, 3, 4]
    assert end == pytest.approx(SECONDS, abs=0.1)


class FailingDisk(io.FileIO):
    """A file of which one sector cannot be read."""

    bad = 0

    def readinto(self, buffer):
        if self.tell() <= self.bad < self.tell() + len(buffer):
            raise OSError(errno.EIO, "Input/output error")
        return super().readinto(buffer)

    def read(self, size=-1):
        buffer = bytearray(size)
        return bytes(buffer[: self.readinto(buffer)])


def test_sound_of_a_file_that_the_disk_gives_half_of_says_so(tmp_path, caplog, monkeypatch):
    source = make_film(tmp_path / "f.mkv", "pcm.avi", seconds=30)
    sound = Sound(str(source), Fraction(0))
    FailingDisk.bad = source.stat().st_size // 2
    monkeypatch.setattr(Path, "open", lambda path, mode: FailingDisk(path))
    track = SoundTrack(sound, 0.0, Fraction(1))
    with caplog.at_level(logging.WARNING), av.open(str(tmp_path / "o.mkv"), "w") as container:
        track.add_to(container, ".mkv")
        last = [packet.pts * packet.time_base for packet in track.until(60)][-1]
        assert not list(track.until(60))
    track.close()
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith(f"{source}: its sound cannot be read beyond {float(last):.1f} s (Input/output error)")
    assert told.endswith("the rest of it is left out")
    assert 10 < last < 16


def test_sound_whose_clock_was_set_ends_there(tmp_path, caplog):
    """Two recordings in one: what is heard after the joint is not known to fit the pictures."""
    parts = [make_film(tmp_path / f"{n}.ts", "aac.ts", seconds=n, sound_from=0) for n in (3, 2)]
    (tmp_path / "joined.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    with caplog.at_level(logging.WARNING):
        target = overlay(tmp_path / "joined.ts", tmp_path / "o.mp4")
    assert any("the clock of its sound was set at 2.9" in record.getMessage() for record in caplog.records) or any(
        "the clock of its sound was set at 3.0" in record.getMessage() for record in caplog.records
    )
    assert beeps(target)[3] == pytest.approx(3, abs=0.1)
    assert len(flashes(target)) == 5


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_high_speed_overlay_is_heard_too(tmp_path, suffix):
    source = make_film(tmp_path / "f.mp4", seconds=2)
    with open_source(source) as film:
        sound = film.sound
    info = clip_info(fps=Fraction(500), time_base=Fraction(1, 90_000))
    with overlay_sink(tmp_path / f"o.{suffix}", info, sound=sound) as sink:
        for index in range(1000):
            sink.write(clip_frame(index, index / 500), clip_mask(index))
    _, heard, _, end = beeps(tmp_path / f"o.{suffix}")
    np.testing.assert_allclose(heard[1:], [1], atol=0.04)
    assert end == pytest.approx(2, abs=0.1)
