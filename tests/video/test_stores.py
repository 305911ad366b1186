"""Videos that lie on a store: read as from a disk, and one line where that cannot be."""

import sys
from pathlib import Path

import numpy as np
import pytest

import bgsub
from bgsub.errors import MissingExtraError, SourceError
from bgsub.stores import stored_file
from bgsub.stores.addresses import is_stored, without_secrets
from bgsub.stores.store_paths import StorePath
from bgsub.video.locating import locate
from bgsub.video.opening import open_source, probe
from tests.s3 import SECRET, served
from tests.video.clips import pictures, write_clip
from tests.video.writers.test_sound import beeps, make_film, overlay

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(scope="module")
def s3():
    with served() as server:
        yield server


@pytest.fixture
def memory():
    """fsspec's store in memory, empty."""
    files = fsspec.filesystem("memory")
    yield files
    files.store.clear()
    files.pseudo_dirs[:] = [""]


@pytest.fixture
def clips(tmp_path):
    """A lossless clip, one with an index and B-frames, and a stream without one."""
    return [
        write_clip(tmp_path / "exact.mkv", pictures(60)),
        write_clip(tmp_path / "indexed.mp4", pictures(60), codec="libx264", pix_fmt="yuv420p"),
        write_clip(tmp_path / "stream.ts", pictures(60), codec="libx264", pix_fmt="yuv420p"),
    ]


def read(source, **selection):
    with open_source(str(source), **selection) as opened:
        return [(frame.index, frame.time, frame.image) for frame in opened]


def same(a, b):
    return len(a) == len(b) > 0 and all(
        x[:2] == y[:2] and np.array_equal(x[2], y[2]) for x, y in zip(a, b, strict=True)
    )


def test_frames_are_those_of_the_file_on_the_disk(s3, memory, clips):
    for clip in clips:
        s3.files.put(str(clip), f"cams/a b/{clip.name}")
        memory.put(str(clip), f"/cams/{clip.name}")
        for address in (f"s3://cams/a b/{clip.name}", f"memory://cams/{clip.name}"):
            assert same(read(address), read(clip)), address
            assert same(read(address, start=1.0, duration=0.5), read(clip, start=1.0, duration=0.5)), address


def test_late_starts_are_sought(s3, tmp_path):
    clip = write_clip(tmp_path / "long.mp4", pictures(200), codec="libx264", pix_fmt="yuv420p")
    s3.files.put(str(clip), "cams/long.mp4")
    assert same(read("s3://cams/long.mp4", start=7.0), read(clip, start=7.0))


def test_facts_are_those_of_the_file_on_the_disk(s3, clips):
    for clip in clips:
        s3.files.put(str(clip), f"cams/{clip.name}")
        assert probe(f"s3://cams/{clip.name}") == probe(clip)


def test_pictures_in_a_folder_are_a_sequence_there_too(memory, tmp_path):
    import cv2

    for i, image in enumerate(pictures(5)):
        cv2.imwrite(str(tmp_path / f"in{i:03}.png"), image)
        memory.put(str(tmp_path / f"in{i:03}.png"), f"/yard/input/in{i:03}.png")
    for address in ("memory://yard", "memory://yard/input/*.png", "memory://yard/input/in%03d.png"):
        assert same(read(address), read(tmp_path)), address
    assert probe("memory://yard")["name"] == "yard"


def test_stacks_and_animations_are_read_there_too(memory, tmp_path, monkeypatch):
    import cv2
    from PIL import Image

    images = pictures(4)
    cv2.imwritemulti(str(tmp_path / "a.tif"), images)
    first, *others = (Image.fromarray(image) for image in images)
    for name in ("a.webp", "a.gif"):
        first.save(tmp_path / name, save_all=True, append_images=others)
    for name in ("a.tif", "a.webp", "a.gif"):
        memory.put(str(tmp_path / name), f"/{name}")
        assert same(read(f"memory://{name}"), read(tmp_path / name)), name
    monkeypatch.setattr("bgsub.video.readers.pages._MOST_FETCHED", 100)
    with pytest.raises(SourceError, match="are read from a disk only; copy it there"):
        open_source("memory://a.tif")


def test_an_overlay_of_a_video_on_a_store_has_its_sound(memory, tmp_path):
    film = make_film(tmp_path / "film.mp4")
    memory.put(str(film), "/film.mp4")
    overlay(film, tmp_path / "here.mkv")
    overlay("memory://film.mp4", tmp_path / "there.mkv")
    assert beeps(tmp_path / "there.mkv") == beeps(tmp_path / "here.mkv") != []


def test_a_small_file_is_read_whole_and_a_large_one_in_windows(memory):
    memory.pipe("/a", bytes(range(256)) * 4096)
    with stored_file.StoredFile("memory://a", 1000) as file:
        assert (file.read(10), file.tell(), file.size) == (bytes(range(10)), 10, 1 << 20)
        assert file.seek(-3, 2) == (1 << 20) - 3
        assert (file.read(100), file.read(100)) == (b"\xfd\xfe\xff", b"")
        file.seek(256)
        assert len(file.read()) == (1 << 20) - 256


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("s3://cams/none.mp4", "no such file or folder"),
        ("s3://no-such-bucket/x.mp4", "no such file or folder"),
        ("s3://cams/nothing/*.mp4", "no such file"),
        ("memory://none.mp4", "no such file or folder"),
    ],
)
def test_what_is_not_there_is_said(s3, memory, name, reason):
    with pytest.raises(SourceError) as caught:
        open_source(name)
    assert str(caught.value).startswith(f"cannot open {name.removesuffix('/*.mp4')}"), caught.value
    assert reason in str(caught.value) or "no image" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_video_and_what_is_empty_is_said(memory):
    memory.pipe("/text.mp4", b"no video at all " * 100)
    memory.pipe("/empty.mp4", b"")
    with pytest.raises(SourceError, match=r"cannot open memory://text.mp4: it is not a video that FFmpeg can read"):
        open_source("memory://text.mp4")
    with pytest.raises(SourceError, match=r"cannot open memory://empty.mp4: the file is empty"):
        open_source("memory://empty.mp4")


def test_a_file_that_is_cut_off_is_warned_of_as_on_the_disk(memory, clips, caplog):
    whole = clips[1].read_bytes()
    memory.pipe("/cut.mp4", whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"cannot open memory://cut.mp4: it was cut off before its index"):
        open_source("memory://cut.mp4")
    whole = clips[2].read_bytes()
    memory.pipe("/cut.ts", whole[: len(whole) // 2])
    clips[2].write_bytes(whole[: len(whole) // 2])
    assert same(read("memory://cut.ts"), read(clips[2]))


def test_permission_is_asked_for_in_one_line(memory, clips, monkeypatch):
    memory.put(str(clips[0]), "/a.mkv")

    def refuse(*_, **__):
        raise PermissionError("Access Denied")

    monkeypatch.setattr(type(memory), "info", refuse)
    with pytest.raises(SourceError, match=r"cannot open memory://a.mkv: the store refuses it \(Access Denied\); check"):
        open_source("memory://a.mkv")


# -------------------------------------------------------------------------------------------- a store that goes away


@pytest.fixture
def short_waits(monkeypatch):
    monkeypatch.setattr(stored_file, "WAITS", (0.01, 0.01))


def failing(monkeypatch, files, after, times, error):
    """Let reading fail, after so many reads, so often; return what counts them."""
    reads = []
    whole = type(files).cat_file

    def cat_file(self, *args, **keywords):
        reads.append(0)
        if after < len(reads) <= after + times:
            raise error
        return whole(self, *args, **keywords)

    monkeypatch.setattr(type(files), "cat_file", cat_file)
    return reads


@pytest.fixture
def large(memory, tmp_path, monkeypatch):
    """A clip that is read in many windows."""
    monkeypatch.setattr("bgsub.video.readers.demuxing.WINDOW", 1 << 16)
    clip = write_clip(tmp_path / "large.mkv", pictures(400, 64, 48))
    memory.put(str(clip), "/large.mkv")
    return clip


def test_a_store_that_comes_back_costs_nothing(memory, large, monkeypatch, short_waits, caplog):
    failing(monkeypatch, memory, 4, 2, ConnectionError("gone"))
    assert same(read("memory://large.mkv"), read(large))
    assert [r.message for r in caplog.records if "asked again" in r.message] == [
        "memory://large.mkv: the store fails (gone); asked again in 0.01 s"
    ] * 2


@pytest.mark.parametrize("error", [ConnectionError("gone"), RuntimeError("its library fails"), TimeoutError("late")])
def test_a_store_that_stays_away_breaks_off_after_what_was_read(memory, large, monkeypatch, short_waits, error):
    failing(monkeypatch, memory, 4, 1000, error)
    frames = []
    with open_source("memory://large.mkv") as source, pytest.raises(SourceError) as caught:
        frames.extend(frame.index for frame in source)
    assert frames == list(range(len(frames)))
    assert 0 < len(frames) < 400
    text = str(caught.value)
    assert text.startswith(f"memory://large.mkv broke off after {len(frames)} frames: {error}; check the address")
    assert "\n" not in text


def test_a_file_that_is_taken_away_is_not_asked_for_again(memory, large, monkeypatch):
    reads = failing(monkeypatch, memory, 4, 1000, FileNotFoundError("x"))
    with open_source("memory://large.mkv") as source, pytest.raises(SourceError, match="broke off after"):
        list(source)
    assert len(reads) == 5


def test_a_file_that_is_replaced_by_a_shorter_one_breaks_off(memory, large, short_waits):
    with open_source("memory://large.mkv", prefetch=0) as source, pytest.raises(SourceError, match="has been changed"):
        for frame in source:
            if frame.index == 1:
                memory.pipe("/large.mkv", b"short")


def test_a_store_that_goes_after_the_last_frame_costs_nothing(memory, large, monkeypatch):
    got = []
    with open_source("memory://large.mkv", prefetch=0) as source:
        for frame in source:
            got.append((frame.index, frame.time, frame.image))
            if frame.index == 399:
                memory.rm("/large.mkv")
    assert same(got, read(large))


def test_the_server_is_taken_away_and_brought_back(s3, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("bgsub.video.readers.demuxing.WINDOW", 1 << 16)
    clip = write_clip(tmp_path / "large.mkv", pictures(400, 64, 48))
    s3.files.put(str(clip), "cams/large.mkv")
    monkeypatch.setattr(stored_file, "WAITS", (0.2, 0.2))
    waited = []

    def come_back(_):
        waited.append(1)
        if len(waited) == 2:
            s3.start()

    monkeypatch.setattr(stored_file.time, "sleep", come_back)
    got = []
    with open_source("s3://cams/large.mkv", prefetch=0) as source:
        for frame in source:
            got.append((frame.index, frame.time, frame.image))
            if frame.index == 20:
                s3.stop()
    assert len(waited) == 2
    assert same(got, read(clip))


def test_nobody_answers():
    import s3fs

    with served() as server:
        server.files.pipe("cams/x.mkv", b"x")
        server.stop()
        s3fs.S3FileSystem.clear_instance_cache()
        with pytest.raises(SourceError) as caught:
            open_source("s3://cams/x.mkv")
        server.start()
    assert str(caught.value).startswith("cannot open s3://cams/x.mkv: ")
    assert "check the address, the credentials" in str(caught.value)
    assert SECRET not in str(caught.value)


# ------------------------------------------------------------------------------------------------ addresses, secrets


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("s3://bucket/x.mp4", True),
        ("gs://bucket/x.mp4", True),
        ("memory://x", True),
        ("az://container/x.mp4", True),
        ("http://host/x.mp4", False),
        ("https://host/x.mp4", False),
        ("rtsp://host/x", False),
        ("file:///x.mp4", False),
        ("unknown://x", False),
        ("s3:/bucket/x.mp4", False),
        ("s3://", False),
        ("folder/s3://x", False),
        ("simplecache::s3://bucket/x", False),
        ("zip://x::file:///etc/passwd", False),
        ("", False),
        (0, False),
    ],
)
def test_addresses_on_stores(name, stored):
    assert is_stored(name) is stored


def test_a_chain_of_file_systems_is_none(memory):
    memory.pipe("/plain", b"x")
    with pytest.raises(SourceError, match="no such file or folder"):
        open_source(f"memory://x::file://{Path(__file__).absolute()}")


def test_a_file_on_the_disk_wins_over_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.mkv", pictures(3))
    (tmp_path / "memory:").mkdir()
    (tmp_path / "a.mkv").rename(tmp_path / "memory:" / "a.mkv")
    assert not isinstance(locate("memory://a.mkv"), StorePath)


def test_paths_go_on_being_addresses():
    path = StorePath("s3://bucket/cam1/x.mp4")
    assert str(path) == "s3://bucket/cam1/x.mp4"
    assert (path.name, path.stem, path.suffix) == ("x.mp4", "x", ".mp4")
    assert str(path.parent / "y.mkv") == str(path.with_name("y.mkv")) == "s3://bucket/cam1/y.mkv"
    assert str(path.absolute()) == str(path.resolve()) == str(path)
    assert path.relative_to(StorePath("s3://bucket")).as_posix() == "cam1/x.mp4"
    assert isinstance(path.parent, StorePath)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("s3://me:word@bucket/x.mp4", "s3://bucket/x.mp4"),
        ("sftp://me@host/x.mp4", "sftp://host/x.mp4"),
        ("s3://bucket/x.mp4?versionId=abc", "s3://bucket/x.mp4"),
        ("s3://bucket/cam?/*.mp4", "s3://bucket/cam?/*.mp4"),
        ("s3://bucket/me@home/x.mp4", "s3://bucket/me@home/x.mp4"),
        (
            "cannot reach 'https://k:w@host/a?X-Amz-Signature=12&b=3' at all",
            "cannot reach 'https://host/a' at all",
        ),
    ],
)
def test_secrets_are_not_told(text, told):
    assert without_secrets(text) == told


def test_a_password_in_an_address_is_refused_without_being_told(s3):
    with pytest.raises(SourceError) as caught:
        open_source("s3://tester:pass-word@cams/x.mp4")
    assert "pass-word" not in str(caught.value)
    assert "s3://cams/x.mp4: its address holds a password" in str(caught.value)


def test_a_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "gs", raising=False)
    with pytest.raises(MissingExtraError, match=r"gs:// needs gcsfs, which is not installed; pip install gcsfs"):
        open_source("gs://bucket/x.mp4")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"s3:// needs fsspec, which is not installed; pip install fsspec s3fs"):
        open_source("s3://bucket/x.mp4")


def test_what_a_program_registers_is_a_store(tmp_path):
    class Shelf(type(fsspec.filesystem("memory"))):
        protocol = "shelf"
        store, pseudo_dirs = {}, [""]

        @classmethod
        def _strip_protocol(cls, path):
            return super()._strip_protocol(path.replace("shelf://", "memory://"))

    clip = write_clip(tmp_path / "a.mkv", pictures(4))
    fsspec.register_implementation("shelf", Shelf)
    fsspec.filesystem("shelf").pipe("/a.mkv", clip.read_bytes())
    assert same(read("shelf://a.mkv"), read(clip))


def test_who_reads_from_a_disk_imports_no_fsspec(tmp_path):
    import subprocess

    clip = write_clip(tmp_path / "a.mkv", pictures(3))
    text = f"import sys, bgsub; list(bgsub.open_source({str(clip)!r})); print('fsspec' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert bgsub.open_source is open_source
