"""The list of what is done: whole at any moment, one line for each input, and never trusted."""

import json
import logging
import multiprocessing
import os
import sys
from pathlib import Path

import pytest

from bgsub.errors import OutputError
from bgsub.jobs import manifest as module
from bgsub.jobs.manifest import Entry, Manifest, Stamp, digest


def entry(name="/rec/a.ts", **values):
    return Entry(**{"input": name, "size": 12, "mtime": 3.5, "settings": "abc", "outputs": ("a.mask.mkv",), **values})


def lines():
    return [json.loads(line) for line in Path("bgsub.jsonl").read_text().splitlines()]


def test_entries_come_back(workplace):
    first = entry(state="done", frames=30)
    second = entry("/rec/b \udce9\n.ts", state="failed", error="no video", outputs=())
    camera = entry("0", size=None, mtime=None)
    with Manifest(workplace) as manifest:
        for one in (first, second, camera):
            manifest.add(one)
        assert manifest.get("/rec/a.ts") == first
        assert manifest.get("/rec/other.ts") is None
    with Manifest(workplace) as manifest:
        assert list(manifest) == [first, second, camera]


def test_each_line_is_what_a_script_reads(workplace):
    with Manifest(workplace) as manifest:
        manifest.add(entry(state="done", frames=30))
    assert lines() == [
        {
            "input": "/rec/a.ts",
            "size": 12,
            "mtime": 3.5,
            "settings": "abc",
            "outputs": ["a.mask.mkv"],
            "state": "done",
            "error": None,
            "frames": 30,
        }
    ]


def test_every_entry_is_on_the_disk_at_once_and_the_end_has_one_for_each_input(workplace):
    with Manifest(workplace) as manifest:
        manifest.add(entry())
        assert [line["state"] for line in lines()] == ["started"]
        manifest.add(entry("/rec/b.ts"))
        manifest.add(entry(state="done"))
        assert [line["state"] for line in lines()] == ["started", "started", "done"]
    assert [(line["input"], line["state"]) for line in lines()] == [("/rec/a.ts", "done"), ("/rec/b.ts", "started")]
    assert sorted(path.name for path in workplace.iterdir()) == ["bgsub.jsonl"]


def test_a_manifest_that_is_only_read_is_left_alone(workplace):
    with Manifest(workplace):
        pass
    assert not Path("bgsub.jsonl").exists()


def test_a_line_that_was_cut_by_a_crash_is_left_out(workplace, caplog):
    whole, cut = entry(state="done").line(), entry("/rec/b.ts").line()
    for length in (1, len(cut) // 2, len(cut) - 1):
        caplog.clear()
        Path("bgsub.jsonl").write_bytes(whole + cut[:length])
        with Manifest(workplace) as manifest:
            assert [one.input for one in manifest] == ["/rec/a.ts"]
            assert lines()[0]["input"] == "/rec/a.ts"  # tidy before anything is appended
            manifest.add(entry("/rec/c.ts"))
            assert [line["input"] for line in lines()] == ["/rec/a.ts", "/rec/c.ts"]
        assert "1 damaged lines are left out" in caplog.text
    Path("bgsub.jsonl").write_bytes(cut[:20])
    with Manifest(workplace) as manifest:
        assert list(manifest) == []


GOOD = json.loads(entry(state="done").line())


@pytest.mark.parametrize(
    "bad",
    [
        b"\n",
        b"\xff\xfe\x00\n",
        b"[1, 2]\n",
        b'"text"\n',
        b"[" * 50_000 + b"\n",
        b"1" * 5000 + b"\n",
        json.dumps(GOOD | {"state": "gone"}).encode() + b"\n",
        json.dumps(GOOD | {"size": "12"}).encode() + b"\n",
        json.dumps(GOOD | {"outputs": "a.mkv"}).encode() + b"\n",
        json.dumps(GOOD | {"outputs": [1]}).encode() + b"\n",
        json.dumps({name: value for name, value in GOOD.items() if name != "settings"}).encode() + b"\n",
        json.dumps(GOOD | {"input": "x" * (1 << 16)}).encode() + b"\n",
        b"x" * (1 << 20) + b"\n",
    ],
    ids=lambda bad: ascii(bad[:24]),
)
def test_a_damaged_line_is_left_out_and_a_first_one_means_another_file(workplace, bad, caplog):
    good = entry(state="done").line()
    other = entry("/rec/z.ts", state="done").line()
    Path("bgsub.jsonl").write_bytes(good + bad + other)
    with Manifest(workplace) as manifest:
        assert [one.input for one in manifest] == ["/rec/a.ts", "/rec/z.ts"]
    assert Path("bgsub.jsonl").read_bytes() == good + other
    Path("bgsub.jsonl").write_bytes(bad + good)
    with pytest.raises(OutputError, match="it is no list of finished inputs; move it away"):
        Manifest(workplace)
    assert Path("bgsub.jsonl").read_bytes() == bad + good


def test_what_a_later_version_adds_is_no_fault(workplace):
    line = json.dumps(GOOD | {"events": 3, "frames": "many", "error": 7}).encode() + b"\n"
    Path("bgsub.jsonl").write_bytes(line)
    with Manifest(workplace) as manifest:
        assert list(manifest) == [entry(state="done")]


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes")
@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
def test_what_is_no_file_is_refused(workplace, kind):
    place = Path("bgsub.jsonl")
    if kind == "folder":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        Path("target").write_text("precious")
        place.symlink_to("target")
    with pytest.raises(OutputError, match="it is no regular file"):
        Manifest(workplace)
    assert kind != "link" or Path("target").read_text() == "precious"


def test_outputs_that_are_missing_and_those_that_lead_elsewhere(workplace):
    for name in ("a.mask.mkv", "sub/b.png"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    with Manifest(workplace / "sub") as manifest:
        names = ("b.png", "c.png", "../a.mask.mkv", str(workplace / "a.mask.mkv"), "", "\0", "x/../b.png")
        assert manifest.missing(entry(outputs=names)) == list(names[1:])


def hold(folder, ready, done):
    with Manifest(Path(folder)):
        ready.set()
        done.wait(60)


@pytest.mark.skipif(sys.platform == "win32", reason="locks as Unix has them")
def test_one_process_at_a_time_and_a_killed_one_is_none(workplace):
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(str(workplace), ready, done))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(OutputError, match=r"another run works in .*: wait for it, or choose another folder"):
            Manifest(workplace)
    finally:
        other.kill()
        other.join()
    with Manifest(workplace) as manifest:
        manifest.add(entry())
    with Manifest(workplace) as manifest:
        assert len(list(manifest)) == 1


def test_too_many_inputs(workplace, monkeypatch):
    monkeypatch.setattr(module, "MOST_ENTRIES", 2)
    Path("bgsub.jsonl").write_bytes(b"".join(entry(f"/{n}").line() for n in range(3)))
    with pytest.raises(OutputError, match="more than 2 inputs"):
        Manifest(workplace)


def test_a_message_of_any_length_fits(workplace):
    with Manifest(workplace) as manifest:
        manifest.add(entry(state="failed", error="x" * 100_000))
    with Manifest(workplace) as manifest:
        (read,) = manifest
        assert read.error == "x" * 1000 + "..."


# ------------------------------------------------------------------------------------------------------------- stamps


def test_the_stamp_of_a_file_changes_with_size_and_time(workplace):
    Path("a.ts").write_bytes(b"12345")
    os.utime("a.ts", ns=(0, 1_700_000_000_123_456_000))
    first = Stamp.of([Path("a.ts")])
    assert first == Stamp(5, 1_700_000_000.123456)
    os.utime("a.ts", ns=(0, 1_700_000_000_123_457_000))
    assert Stamp.of([Path("a.ts")]) != first


def test_the_stamp_of_pictures_is_of_all(workplace):
    for number in (1, 2):
        Path(f"{number}.png").write_bytes(b"x" * number)
        os.utime(f"{number}.png", (0, 1000 * number))
    assert Stamp.of([Path("1.png"), Path("2.png")]) == Stamp(3, 2000.0)


@pytest.mark.parametrize("paths", [[], ["missing.ts"], ["."], ["nul\0.ts"]])
def test_what_has_no_stamp(workplace, paths):
    assert Stamp.of([Path(path) for path in paths]) == Stamp()


# ------------------------------------------------------------------------------------------------------------- digests


def test_digests_are_of_contents(workplace):
    Path("m.bgsub").write_bytes(b"model")
    Path("copy.bgsub").write_bytes(b"model")
    first = digest({"b": 1, "a": [1, 2]}, {"load": "m.bgsub"})
    assert len(first) == 32
    assert digest({"a": [1, 2], "b": 1}, {"load": "copy.bgsub"}) == first
    Path("m.bgsub").write_bytes(b"other")
    others = [digest({"b": 1, "a": [1, 2]}, {"load": "m.bgsub"}), digest({"b": 2, "a": [1, 2]}, {"load": "copy.bgsub"})]
    others += [digest({"b": 1, "a": [1, 2]}), digest({"b": 1, "a": [1, 2]}, {"region": "copy.bgsub"})]
    assert len({first, *others}) == 5
    assert digest({}, {"load": "missing"}) == digest({})


@pytest.mark.skipif(sys.platform == "win32", reason="limits as Unix has them")
def test_a_full_disk_is_one_line(workplace):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Manifest(workplace) as manifest:
        manifest.add(entry())
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        try:
            with pytest.raises(OutputError, match=r"cannot write .*bgsub.jsonl: File too large; make room"):
                manifest.add(entry("/rec/b.ts"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_word_for_damage_only_where_there_is_some(workplace, caplog):
    caplog.set_level(logging.DEBUG, "bgsub")
    for _ in range(2):
        with Manifest(workplace) as manifest:
            manifest.add(entry())
            manifest.add(entry(state="done"))
    assert caplog.messages == []
