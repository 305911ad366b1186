"""Recorded files: whole, in parts, while they grow, and only those that the index names."""

import os
import socket
from pathlib import Path

import pytest

from bgsub.live.web.recorded import asked_part

CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def clip(page):
    record = page.event(clip=CONTENT)
    return page, f"/api/events/{record.id}/clip", page.folder / "recordings" / record.clip


def test_a_clip_a_picture_and_tracks(clip):
    page, path, _ = clip
    answer = page.get(path)
    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.headers["content-type"] == "video/mp4" and answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == 'inline; filename="yard-2026-11-27T12-00-00.000Z.mp4"'
    assert page.get(path + "?download=1").headers["content-disposition"].startswith("attachment;")
    assert page.get(path.replace("clip", "thumbnail")).headers["content-type"] == "image/jpeg"
    assert page.get(path.replace("clip", "tracks")).headers["content-type"].startswith("text/csv")
    head = page.request("HEAD", path)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(CONTENT)))


@pytest.mark.parametrize(
    ("asked", "part"),
    [("bytes=100-199", slice(100, 200)), ("bytes=-50", slice(-50, None)), ("bytes=1000000-", slice(1_000_000, None)),
     ("bytes=0-99999999", slice(0, None))],
)  # fmt: skip
def test_parts(clip, asked, part):
    page, path, _ = clip
    answer = page.get(path, headers={"Range": asked})
    start, stop, _ = part.indices(len(CONTENT))
    assert (answer.status, answer.body) == (206, CONTENT[part])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"


def test_parts_that_there_are_not(clip):
    page, path, _ = clip
    beyond = page.get(path, headers={"Range": f"bytes={len(CONTENT)}-"})
    assert (beyond.status, beyond.headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")
    for asked in ("bytes=0-1,4-5", "bytes=-", "bytes=5-2", "lines=1-2", "bytes=" + "0-1," * 5000 + "2-3"):
        assert page.get(path, headers={"Range": asked}).status in (200, 431, 400)


def test_a_file_that_changed_is_sent_anew(clip):
    page, path, file = clip
    tag = page.get(path).headers["etag"]
    assert page.get(path, headers={"If-None-Match": tag}).status == 304
    part = {"Range": "bytes=0-9", "If-Range": tag}
    assert page.get(path, headers=part).status == 206
    file.write_bytes(CONTENT + b"more")
    assert page.get(path, headers=part).body == CONTENT + b"more"


def test_segments(page):
    record = page.segment(content=b"all there is")
    stamp = record.path.rpartition("/")[2].removesuffix(".segment.mp4")
    assert page.get(f"/api/segments/yard/{stamp}/file").body == b"all there is"
    assert page.get("/api/segments/yard/2026-11-27T12-00-01.000Z/file").status == 404  # in it, and none begins there
    assert page.get("/api/segments/yard/2026-13-27T12-00-01.000Z/file").status == 404


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/api/events/yard/../../secret/clip",
            "/api/events/yard/..%2f..%2fsecret/clip",
            "/api/events//etc/passwd/clip",
        ),
        *("/api/events/yard/%2e%2e/clip", "/page/..%2fpage_files.py", "/page/../guard.py", "/page/%2e%2e/guard.py"),
        *("//etc/passwd", "/page/index.html%00.js", "/api/segments/yard/..%5c..%5cx/file", "/page/watch.css/"),
        "/api/events/yard/2026-11-27T12-00-00.000Z%0a/clip",
    ],
)
def test_no_path_leads_anywhere_else(clip, path):
    page, _, _ = clip
    assert page.get(path).status == 404


def test_no_record_leads_anywhere_else(page):
    (page.folder / "secret").write_bytes(b"secret")
    for n, name in enumerate(
        ("../secret", "/etc/passwd", "yard/../../secret", "yard/2026-11-27/../../../secret", "secret")
    ):
        record = page.event(seconds=n, clip=None)
        page.index.put_event(type(record)(id=record.id, camera="yard", start=record.start, end=record.end, clip=name))
        answer = page.get(f"/api/events/{record.id}/clip")
        assert answer.status in (404, 503) and b"secret" not in bytes(str(answer.body["error"]), "utf-8"), name


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="needs links")
def test_links_and_what_is_no_file_are_not_opened(clip):
    page, path, file = clip
    (page.folder / "secret").write_bytes(b"secret")
    file.unlink()
    assert page.get(path).status == 404
    file.symlink_to(page.folder / "secret")
    assert page.get(path).status == 404
    file.unlink()
    os.mkfifo(file)
    assert page.get(path).status == 404
    file.unlink()
    file.mkdir()
    assert page.get(path).status == 404
    file.rmdir()
    day = file.parent
    for inside in day.iterdir():
        inside.unlink()
    day.rmdir()
    (page.folder / "other").mkdir()
    (page.folder / "other" / file.name).write_bytes(b"secret")
    day.symlink_to(page.folder / "other")
    assert page.get(path).status in (404, 503)


def test_who_takes_nothing_holds_nobody_up_and_no_file_stays_open(clip, monkeypatch):
    monkeypatch.setattr("bgsub.live.web.recorded._STUCK", 0.3)
    page, path, file = clip
    file.write_bytes(CONTENT * 30)
    slow = [socket.create_connection((page.host, page.port), 30) for _ in range(10)]
    for one in slow:
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    assert page.get(path, headers={"Range": "bytes=0-9"}).body == CONTENT[:10]
    for one in slow:
        one.settimeout(60)
        while one.recv(1 << 20):  # it ends, without all
            pass
        one.close()
    opened = Path("/proc/self/fd")
    if opened.is_dir():
        assert str(file) not in [os.path.realpath(one) for one in opened.iterdir()]


def test_asked_part():
    assert asked_part("bytes=0-0", 10) == range(1)
    assert asked_part("bytes=9-", 10) == range(9, 10)
    assert len(asked_part("bytes=10-", 10)) == 0
    assert asked_part("bytes=-20", 10) == range(10)
    assert len(asked_part("bytes=-0", 10)) == 0
    assert asked_part("bytes=0-9", 0) is not None and len(asked_part("bytes=0-9", 0)) == 0
