"""How all is: what machines are told, by whom they may ask, and what systemd hears."""

import asyncio
import contextlib
import json
import socket
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bgsub.errors import OutputError
from bgsub.live.clock import Clock
from bgsub.live.health.metrics import Metrics, Other
from bgsub.live.health.service import health_answer
from bgsub.live.health.serving import Answer, Server, is_own_name
from bgsub.live.health.state import Health
from bgsub.live.messages import CameraLost, EventClosed, EventRecord, Status
from bgsub.live.supervising.systemd import ServiceManager

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


class Stepped(Clock):
    """A clock that stands until it is stepped."""

    def __init__(self):
        self.passed = 100.0

    def monotonic(self):
        return self.passed

    def now(self):
        return NOON + timedelta(seconds=self.passed)


@pytest.fixture
def clock():
    return Stepped()


@pytest.fixture
def health(clock):
    found = Health(clock)
    found.watch(("yard", "door"))
    return found


def said(camera, state="live", **more):
    return Status(camera=camera, at=NOON, state=state, since=NOON, **more)


def answered(health):
    answer = health_answer(health)
    return answer.status, json.loads(answer.body)


def test_all_is_well_when_every_camera_is_live(health, clock):
    assert answered(health)[0] == 503
    health.note(said("yard", frames=3, width=640))
    assert health.wrong() == {"camera door": "starting"}
    health.note(said("door"))
    status, report = answered(health)
    assert (status, report["well"], report["wrong"]) == (200, True, {})
    assert report["cameras"]["yard"] | {"frames": 3, "width": 640, "state": "live"} == report["cameras"]["yard"]
    health.note(said("door", "lost", why="no answer"))
    assert answered(health)[1]["wrong"] == {"camera door": "lost since 2026-11-27T12:00:00Z: no answer"}
    health.note(said("door", trouble="the disk is full"))
    assert answered(health) == (503, answered(health)[1])
    assert health.wrong() == {"camera door": "the disk is full"}


def test_what_was_said_long_ago_says_nothing(health, clock):
    for name in ("yard", "door"):
        health.note(said(name))
    clock.passed += 20
    health.note(said("door"))
    assert health.wrong() == {"camera yard": "it has said nothing for a while"}


def test_other_trouble_is_asked_for_each_time(health):
    wrong = ["no room"]
    health.troubles["disk"] = lambda: wrong[0]
    for name in ("yard", "door"):
        health.note(said(name))
    assert health.wrong() == {"disk": "no room"}
    wrong[0] = None
    assert answered(health)[0] == 200


def test_cameras_that_are_gone_are_forgotten_and_the_others_are_not(health):
    health.note(said("yard"))
    health.note(EventClosed(EventRecord(id="yard/1", camera="yard", start=NOON)))
    health.watch(("yard", "roof"))
    health.note(said("door"))
    assert set(health.cameras) == {"yard", "roof"}
    assert health.cameras["yard"].events == 1


def test_metrics_are_what_prometheus_reads(health):
    health.note(said("yard", frames=12, dropped=3, delay=0.25, frames_per_second=11.5, moving=0.5, reconnects=2))
    health.note(EventClosed(EventRecord(id="yard/1", camera="yard", start=NOON)))
    health.note(CameraLost(camera="door", at=NOON, why="gone"))
    others = [
        Other("recorded_bytes", "Of all recordings.", "", lambda: {"": 7.0}),
        Other("removed", "Recordings removed.", "reason", lambda: {"older": 2.0}, counts=True),
    ]
    text = Metrics(health, others).text().decode()
    found = {
        (sample.name, sample.labels.get("camera", sample.labels.get("reason"))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found[("bgsub_camera_live", "yard")] == 1 and found[("bgsub_camera_live", "door")] == 0
    assert found[("bgsub_camera_frames_total", "yard")] == 12
    assert found[("bgsub_camera_dropped_frames_total", "yard")] == 3
    assert found[("bgsub_camera_delay_seconds", "yard")] == 0.25
    assert found[("bgsub_camera_events_total", "yard")] == 1
    assert found[("bgsub_camera_outages_total", "door")] == 1
    assert found[("bgsub_camera_last_event_timestamp_seconds", "yard")] == NOON.timestamp()
    assert found[("bgsub_recorded_bytes", None)] == 7
    assert found[("bgsub_removed_total", "older")] == 2
    assert found[("bgsub_well", None)] == 0


# ---------------------------------------------------------------------------------------------------------- the server


def ask(request, pages=None, listen="127.0.0.1:0"):
    """Send bytes to a server, and return its answer: status line, headers and content."""

    async def run():
        server = Server(listen, pages or {"/health": lambda: Answer(200, "text/plain", b"well\n")})
        address = await server.start()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
            writer.write(request)
            with contextlib.suppress(OSError):
                return await asyncio.wait_for(reader.read(), 30)
            return b""
        finally:
            writer.close()
            await server.stop()

    return asyncio.run(run()).decode()


def got(path="/health", host="localhost", method="GET", more=""):
    return ask(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode())


def test_a_page_is_served():
    head, _, body = got().partition("\r\n\r\n")
    assert head.splitlines()[0] == "HTTP/1.1 200 OK"
    assert "Content-Length: 5" in head and "X-Content-Type-Options: nosniff" in head
    assert body == "well\n"
    assert got(path="/health?x=1").endswith("well\n")
    assert got(method="HEAD").endswith("\r\n\r\n")


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (b"GET /etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", "404 Not Found"),
        (b"POST /health HTTP/1.1\r\nHost: localhost\r\n\r\n", "405 Method Not Allowed"),
        (b"GET /health HTTP/1.1\r\n\r\n", "403 Forbidden"),
        (b"GET /health HTTP/1.1\r\nHost: evil.example.com\r\n\r\n", "403 Forbidden"),
        (b"GET /health\r\n\r\n", "400 Bad Request"),
        (b"\xff\x00\x01\r\n\r\n", "400 Bad Request"),
    ],
)
def test_what_is_not_served_is_told(request_, line):
    assert ask(request_).splitlines()[0] == f"HTTP/1.1 {line}"


def test_endless_headers_are_cut_off():
    many = ask(b"GET /health HTTP/1.1\r\n" + b"X: y\r\n" * 20_000)
    long = ask(b"GET /health HTTP/1.1\r\nX: " + b"y" * 20_000)
    assert {told.splitlines()[0] for told in (many, long) if told} <= {"HTTP/1.1 400 Bad Request"}


def test_a_page_that_fails_ends_nothing(caplog):
    def fail():
        raise RuntimeError("no idea")

    told = ask(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", {"/": fail})
    assert told.startswith("HTTP/1.1 500 ") and "no idea" not in told
    assert [record.getMessage() for record in caplog.records] == ["a page failed: RuntimeError: no idea"]


def test_silent_connections_hold_nobody_up():
    async def run():
        server = Server("127.0.0.1:0", {"/": lambda: Answer(200, "text/plain", b"here")})
        port = int((await server.start()).rpartition(":")[2])
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 30)
        for _, one in [*silent, (reader, writer)]:
            one.close()
        await server.stop()
        return answer

    assert asyncio.run(run()).endswith(b"here")


def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OutputError) as error:
            ask(b"", listen=f"127.0.0.1:{port}")
    assert str(error.value).startswith(f"cannot listen on 127.0.0.1:{port}: ")
    assert str(error.value).endswith("; choose another port with --listen, or 0 for a free one")


@pytest.mark.parametrize(
    ("host", "own"),
    [
        *[("localhost:8099", True), ("127.0.0.1", True), ("[::1]:8099", True), ("bgsub:8099", True)],
        *[("box.local", True), ("cams.lan:80", True), (socket.gethostname(), True), ("cams.example.org", True)],
        *[("", False), ("evil.com", False), ("127.0.0.1.evil.com", False), ("local.evil.com:8099", False)],
    ],
)
def test_names_that_may_be_asked_for(host, own):
    assert is_own_name(host, "cams.example.org:8099") is own


# ------------------------------------------------------------------------------------------------------------- systemd


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="systemd is elsewhere")
@pytest.mark.parametrize("hidden", [False, True])
def test_systemd_hears_that_the_program_is_ready_and_alive(tmp_path, hidden):
    address = f"\0bgsub-test-{tmp_path.name}-{id(tmp_path)}" if hidden else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        try:
            listening.bind(address)
        except OSError:
            pytest.skip("this system knows no such addresses")
        systemd = ServiceManager({"NOTIFY_SOCKET": address.replace("\0", "@"), "WATCHDOG_USEC": "60000000"})
        assert systemd.interval == 30
        systemd.ready()
        systemd.alive("2 cameras\nare live")
        systemd.reloading(1.5)
        systemd.stopping()
        told = [listening.recv(1000).decode() for _ in range(4)]
    assert told == [
        "READY=1",
        "WATCHDOG=1\nSTATUS=2 cameras are live",
        "RELOADING=1\nMONOTONIC_USEC=1500000",
        "STOPPING=1",
    ]


def test_without_systemd_nothing_happens(tmp_path):
    for variables in ({}, {"NOTIFY_SOCKET": str(tmp_path / "nobody")}, {"WATCHDOG_USEC": "1"}):
        systemd = ServiceManager(variables)
        systemd.ready()
        systemd.alive("x")
        assert systemd.interval is None
