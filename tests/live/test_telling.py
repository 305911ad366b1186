"""Who is told what, in which words; programs, addresses and people, tried on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bgsub.errors import OutputError, ParameterError
from bgsub.live.layout import event_id
from bgsub.live.messages import (
    CameraFound,
    CameraLost,
    EventClosed,
    EventOpened,
    EventRecord,
    SegmentOpened,
    SegmentRecord,
    Status,
    Trouble,
)
from bgsub.live.settings import Tell, Webhook
from bgsub.live.telling.channels import PAUSES, Telling, channels_of, try_each
from bgsub.live.telling.occasions import FACTS, Occasion, Occasions, as_json, facts_of
from bgsub.live.telling.people import PeopleChannel
from bgsub.live.telling.programs import ProgramChannel, check_command
from bgsub.live.telling.refusal import Refused
from bgsub.live.telling.steadying import Steadying
from bgsub.live.telling.webhooks import WebhookChannel

START = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)


def record(**values):
    end = START + timedelta(seconds=8)
    base = {"id": event_id("yard", START), "camera": "yard", "start": START, "end": end}
    return EventRecord(**{**base, "clip": "yard/2026-03-01/a.mp4", "thumbnail": "yard/2026-03-01/a.jpg", **values})


def event(**values):
    return Occasion(name="event_closed", at=START, camera="yard", event=record(**values))


def status(trouble=None, camera="yard"):
    return Status(camera=camera, at=START, state="live", since=START, trouble=trouble)


# What is told


def names(messages, **tell):
    occasions = Occasions(Tell(**tell))
    return [found.name for message in messages if (found := occasions.of(message)) is not None]


def test_events_and_cameras_are_told_and_segments_are_not():
    segment = SegmentRecord(camera="yard", path="yard/2026-03-01/a.segment.mp4", start=START)
    messages = [
        EventOpened(record(end=None)),
        EventClosed(record()),
        CameraLost(camera="yard", at=START, why="refused"),
        CameraFound(camera="yard", at=START, away=3.0),
        SegmentOpened(segment),
        status(),
    ]
    assert names(messages) == ["event_opened", "event_closed", "camera_lost", "camera_found"]
    assert names(messages, on=("camera_lost",)) == ["camera_lost"]
    assert names(messages, zones=("gate",)) == ["camera_lost", "camera_found"]
    assert names([EventClosed(record(zones=("gate", "lawn")))], zones=("gate",)) == ["event_closed"]


def test_trouble_is_told_when_it_begins_and_when_it_ends():
    messages = [
        *(status(why) for why in (None, "disk full", "disk full", "disk is full", None, None)),
        status("disk full", camera="door"),
        Trouble(at=START, why="disk full"),
        Trouble(at=START, why="disk very full"),
        Trouble(at=START, why=None),
    ]
    assert names(messages) == ["trouble"] * 5


@pytest.mark.parametrize(
    ("occasion", "title", "text"),
    [
        (event(), "yard: motion for 8 s", "CLOCK to LATER"),
        (
            event(
                zones=("gate",), crossings={"fence in": 2}, objects=3, unusual=0.97, kind="removed", error="disk full"
            ),
            "yard: removed for 8 s",
            "CLOCK to LATER; in gate; fence in: 2; 3 objects; unusual; disk full",
        ),
        (event(end=START + timedelta(minutes=10)), "yard: motion for 10 min", None),
        (Occasion(name="event_opened", at=START, camera="yard", event=record(end=None)), "yard: motion", "since CLOCK"),
        (Occasion(name="camera_lost", at=START, camera="yard", why="refused"), "yard is lost", "refused (CLOCK)"),
        (Occasion(name="camera_found", at=START, camera="yard", away=7), "yard is back", "after 7 s, at CLOCK"),
        (Occasion(name="trouble", at=START, why="full"), "all cameras: trouble with recording", "full (CLOCK)"),
        (Occasion(name="trouble", at=START), "all cameras: recording is well again", "it is over (CLOCK)"),
        (Occasion(name="test", at=START), "bgsub: a test", "This is how you will be told."),
    ],
)
def test_people_read_words_and_times_of_their_zone(occasion, title, text):
    assert occasion.title == title
    if text is not None:
        clock = f"{START.astimezone():%H:%M:%S}"
        later = f"{(START + timedelta(seconds=8)).astimezone():%H:%M:%S}"
        assert occasion.text == text.replace("CLOCK", clock).replace("LATER", later)


def test_machines_read_values_and_times_in_utc(tmp_path):
    told = json.loads(json.dumps(as_json(event(zones=("gate",)), tmp_path)))
    assert told["event"]["start"] == told["at"] == "2026-03-01T12:00:00.250000Z"
    assert (told["version"], told["occasion"], told["event"]["zones"]) == (1, "event_closed", ["gate"])
    facts = facts_of(event(zones=("a\0b", "c"), unusual=0.5), tmp_path)
    assert tuple(facts) == FACTS
    assert facts["zones"] == "ab,c"
    assert facts["clip"] == str(tmp_path / "yard/2026-03-01/a.mp4")
    assert facts["record"] == str(tmp_path / "yard/2026-03-01/2026-03-01T12-00-00.250Z.json")
    assert (facts["length"], facts["unusual"], facts["tracks"]) == ("8.000", "0.500", "")


# Again and again


class Failing:
    name = "failing"

    def __init__(self, *faults):
        self.faults, self.tried = list(faults), []

    async def tell(self, occasion):
        self.tried.append(occasion)
        if self.faults:
            raise self.faults.pop(0)

    async def close(self):
        pass


def telling(channel, message=EventClosed(record())):  # noqa: B008 - immutable
    """Return the pauses that were made, what was logged, and how much was told and lost."""
    waited, lines = [], []
    pauses = _Noted((0.0, 0.001, 0.002, 0.003, 0.004), waited)
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())

    async def tell():
        teller = Telling(channel, Tell(), pauses)
        await teller.take(message)
        await teller.close(60.0)
        return teller.told, teller.lost

    logging.getLogger("bgsub.live.telling.channels").addHandler(handler)
    try:
        counts = asyncio.run(tell())
        return len(waited), lines, counts
    finally:
        logging.getLogger("bgsub.live.telling.channels").removeHandler(handler)


class _Noted:
    """Pauses, and how many were asked for."""

    def __init__(self, pauses, asked):
        self.pauses, self.asked = pauses, asked

    def __iter__(self):
        for pause in self.pauses:
            self.asked.append(pause)
            yield pause


def test_what_fails_is_tried_again_later_and_later():
    channel = Failing(OutputError("a"), OutputError("b"))
    assert telling(channel) == (3, [], (1, 0))
    assert channel.tried[0] is channel.tried[2]
    assert list(PAUSES) == sorted(PAUSES)


def test_what_fails_five_times_more_is_lost_and_told():
    channel = Failing(*[OutputError("away")] * 9)
    assert telling(channel) == (5, ["failing: event_closed was not told: away"], (0, 1))
    assert len(channel.tried) == 6


def test_what_is_refused_is_not_tried_again():
    assert telling(Failing(Refused("no"))) == (1, ["failing: event_closed was not told: no"], (0, 1))


def test_a_fault_of_a_channel_costs_a_message_and_shows_no_secret():
    assert telling(Failing(ValueError("secret"))) == (1, ["failing: event_closed was not told: ValueError"], (0, 1))


def test_what_is_no_occasion_costs_nothing():
    channel = Failing()
    assert telling(channel, status()) == (0, [], (0, 0))
    assert channel.tried == []


def test_a_channel_that_hangs_delays_nobody_and_loses_the_oldest(caplog):
    class Hanging(Failing):
        async def tell(self, occasion):
            self.tried.append(occasion)
            await asyncio.sleep(3600)

    async def tell():
        channel, quick = Hanging(), Failing()
        tellers = [Telling(channel, Tell()), Telling(quick, Tell())]
        for k in range(1500):
            for teller in tellers:
                await teller.take(EventClosed(record(objects=k)))
            await asyncio.sleep(0)
        await tellers[1].close(60.0)
        assert [one.event.objects for one in quick.tried] == list(range(1500))
        assert len(channel.tried) == 1
        assert tellers[0].lost == 499
        await tellers[0].close(0.01)

    asyncio.run(tell())
    assert "failing is too slow: 1 messages were lost to it" in caplog.messages
    assert "failing: 1000 messages were not told any more" in caplog.messages


# A program


def run_program(tmp_path, code, *arguments, times=1, **values):
    async def tell():
        channel = ProgramChannel((sys.executable, "-c", code, *arguments), tmp_path)
        for _ in range(times):
            await channel.tell(event(**values))
        await channel.close()

    asyncio.run(tell())


TOLD = "import json, os, sys; json.dump([sys.argv[1:], dict(os.environ), sys.stdin.read()], open('told', 'w'))"


@pytest.mark.parametrize("zone", ["gate; touch evil", "$(touch evil)", "`touch evil`", "' \" \\ \n", "{camera}", "-rf"])
def test_arguments_arrive_as_they_are_whatever_is_in_them(tmp_path, monkeypatch, zone):
    monkeypatch.chdir(tmp_path)
    run_program(tmp_path, TOLD, "{zones}", "clip={clip}", "{camera}{kind}", "$HOME {}", zones=(zone,))
    arguments, environment, read = json.loads((tmp_path / "told").read_text())
    assert arguments == [zone, f"clip={tmp_path}/yard/2026-03-01/a.mp4", "yardmotion", "$HOME {}"]
    assert environment["BGSUB_ZONES"] == zone
    assert environment["BGSUB_THUMBNAIL"] == f"{tmp_path}/yard/2026-03-01/a.jpg"
    assert read == ""
    assert [path.name for path in tmp_path.iterdir()] == ["told"]


def test_a_program_that_fails_is_logged_with_the_end_of_its_complaint(tmp_path, caplog):
    with pytest.raises(Refused, match=r"python\S* ended with 3: x+ no such phone$"):
        run_program(tmp_path, "import sys; sys.exit(sys.stderr.write('x' * 300000 + '\\nno such phone') and 3)")
    assert "no such phone" in caplog.messages[0]
    assert len(caplog.messages[0]) < 400


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path):
    async def tell():
        script = 'sleep 99 & echo $! > "$0"; sleep 99'
        channel = ProgramChannel(("sh", "-c", script, str(tmp_path / "child")), tmp_path, 3.0)
        await channel.tell(event())
        await channel.close()

    with pytest.raises(Refused, match=r"^sh was killed after 3 s; let it do its work in less$"):
        asyncio.run(tell())
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 60
    while _runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_few_programs_run_at_a_time(tmp_path):
    code = "import os, time; d = {!r}; open(d + '/' + str(os.getpid()), 'w'); n = len(os.listdir(d)); time.sleep(.3);"
    code += "os.remove(d + '/' + str(os.getpid())); assert n <= 4"
    run_program(tmp_path, code.format(str(tmp_path)), times=9)


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        (("say", "{clup}"), r"there is no \{clup\}; give one of occasion, camera, "),
        (("{clip}",), "give a program first, by its name or path"),
        (("",), "give a program first"),
    ],
)
def test_a_wrong_command_is_told_at_once(command, fault):
    with pytest.raises(ParameterError, match=fault):
        check_command(command)


def test_a_missing_program_is_told(tmp_path):
    async def tell():
        channel = ProgramChannel((str(tmp_path / "none"),), tmp_path)
        for _ in range(9):  # more than may run at a time
            with pytest.raises(Refused, match=r"cannot run .*none: No such file or directory; check the command"):
                await channel.tell(event())

    asyncio.run(tell())


# An address


@contextmanager
def server(*answers):
    """A server on loopback; `answers` are its statuses, the last one for ever, or bytes in place of HTTP."""
    got, left = [], list(answers) or [200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            answer = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(answer, bytes):
                self.wfile.write(answer)
                return
            self.send_response(answer)
            if 300 <= answer < 400:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    serving = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{serving.server_port}", got
    finally:
        serving.shutdown()
        thread.join()
        serving.server_close()


def test_an_address_gets_signed_json(tmp_path):
    with server(204) as (address, got):
        url = address.replace("//", "//us%40er:pass@") + "/hook/ä b?x=1&y=%20"
        asyncio.run(WebhookChannel(Webhook(url=url, secret="key"), tmp_path).tell(event()))
    ((path, headers, body),) = got
    assert path == "/hook/%C3%A4%20b?x=1&y=%20"
    assert headers["Authorization"] == "Basic dXNAZXI6cGFzcw=="
    assert headers["Host"] == address.removeprefix("http://")
    signature = hmac.new(b"key", body, hashlib.sha256).hexdigest()
    assert headers["X-Bgsub-Signature"] == f"sha256={signature}"
    told = json.loads(body)
    assert (told["delivery"], str(told["sent"])) == (headers["X-Bgsub-Delivery"], headers["X-Bgsub-Timestamp"])
    assert told["event"]["clip"] == "yard/2026-03-01/a.mp4"
    assert told["directory"] == str(tmp_path)


def test_further_tries_send_the_same_message(tmp_path):
    with server(500, 429, 200) as (address, got):
        channel = WebhookChannel(Webhook(url=address), tmp_path)
        assert telling(channel) == (3, [], (1, 0))
    assert got[0][2] == got[1][2] == got[2][2]
    assert "X-Bgsub-Signature" not in got[0][1]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (302, "SHOWN answers 302, it has moved: give the new address"),
        (404, "SHOWN answers 404: check the address, and who may use it"),
        (503, "SHOWN answers 503: look there for why"),
        (b"SSH-2.0-OpenSSH\r\n", "cannot reach SHOWN: no answer that is HTTP; check the address"),
        (b"x" * 100_000, "cannot reach SHOWN: no answer that is HTTP; check the address"),
        (b"", "cannot reach SHOWN: no answer that is HTTP; check the address"),
    ],
)
def test_a_bad_answer_is_told_without_secrets(tmp_path, answer, fault):
    with server(answer) as (address, got):
        secret = address.replace("//", "//user:pass@") + "/hook?token=hidden"
        channel = WebhookChannel(Webhook(url=secret, secret="key"), tmp_path)
        with pytest.raises(OutputError) as caught:
            asyncio.run(channel.tell(event()))
    assert str(caught.value) == fault.replace("SHOWN", f"{address}/hook")
    assert isinstance(caught.value, Refused) == (answer in (302, 404))
    assert len(got) == 1  # no redirection was followed


def test_an_address_that_does_not_answer_is_told(tmp_path):
    async def tell():
        silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        channel = WebhookChannel(Webhook(url=f"http://127.0.0.1:{port}"), tmp_path, patience=0.3)
        with pytest.raises(OutputError, match=r"did not answer in 0.3 s; check the address"):
            await channel.tell(event())
        silent.close()
        channel = WebhookChannel(Webhook(url=f"http://127.0.0.1:{port}/x"), tmp_path)
        with pytest.raises(OutputError, match=rf"cannot reach http://127.0.0.1:{port}/x: Connection refused; check"):
            await channel.tell(event())

    asyncio.run(tell())


@pytest.mark.parametrize(
    "url", ["ftp://a/b", "http://", "http:///x", "http://a:70000/", "http://a b/", "http://\u2100/"]
)
def test_what_is_no_address_is_told(tmp_path, url):
    with pytest.raises(ParameterError, match=r"is no address: .*write http://host/path or https://"):
        WebhookChannel(Webhook(url=url), tmp_path)


def test_an_address_holds_no_further_lines(tmp_path):
    with server() as (address, got):
        url = f'{address}/a%0d%0ab\x7f|<>"^'
        asyncio.run(WebhookChannel(Webhook(url=url), tmp_path).tell(event()))
    assert got[0][0] == "/a%0d%0ab%7F%7C%3C%3E%22%5E"


# People


def people(tmp_path, addresses, occasions, pause=60.0, steps=()):
    now = [0.0]

    async def tell():
        channel = PeopleChannel(addresses, tmp_path, pause, lambda: now[0])
        for occasion, step in zip(occasions, [*steps] or [0.0] * len(occasions), strict=True):
            now[0] += step
            await channel.tell(occasion)

    asyncio.run(tell())


def test_people_get_the_picture(tmp_path):
    pytest.importorskip("apprise")
    (tmp_path / "yard/2026-03-01").mkdir(parents=True)
    (tmp_path / "yard/2026-03-01/a.jpg").write_bytes(b"\xff\xd8 a picture")
    with server() as (address, got):
        people(tmp_path, [address.replace("http", "json")], [event(zones=("gate",))])
    told = json.loads(got[0][2])
    assert told["title"] == "yard: motion for 8 s"
    assert told["message"].endswith("; in gate")
    assert told["attachments"][0]["filename"] == "a.jpg"


def test_a_storm_of_events_is_no_storm_of_messages(tmp_path):
    pytest.importorskip("apprise")
    lost = Occasion(name="camera_lost", at=START, camera="yard", why="refused")
    opened = Occasion(name="event_opened", at=START, camera="yard", event=record(end=None))
    occasions = [opened, event(), event(), event(), lost, event(), event()]
    with server() as (address, got):
        people(tmp_path, [address.replace("http", "json")], occasions, steps=[0, 0, 10, 10, 0, 50, 10])
    told = [json.loads(body)["message"] for _, _, body in got]
    assert len(told) == 3
    assert [text.endswith("; and 2 before it") for text in told] == [False, False, True]
    assert told[1].startswith("refused")


def test_the_same_trouble_of_all_cameras_is_told_once(tmp_path):
    pytest.importorskip("apprise")
    whys = ["DIR: 1.5 MB are free", "DIR: 1.4 MB are free", "DIR does not answer", None, None, "DIR: 1.5 MB are free"]
    occasions = [Occasion(name="trouble", at=START, camera=f"cam{k}", why=why) for k, why in enumerate(whys)]
    with server() as (address, got):
        people(tmp_path, [address.replace("http", "json")], occasions, steps=[0, 1, 1, 1, 1, 60])
    told = [json.loads(body)["message"].partition(" (")[0] for _, _, body in got]
    assert told == [whys[0], whys[2], "it is over", whys[5]]


def steadied(loop_time, *steps, grace=10.0):
    """Let a camera be lost and found at steps of seconds; return what was told when."""
    told = []

    async def live():
        loop = asyncio.get_running_loop()
        steadying = Steadying(lambda one: told.append((round(loop.time() - began), one.name)), grace)
        began = loop.time()
        for step, name in steps:
            await asyncio.sleep(step)
            steadying.hear(Occasion(name=name, at=START, camera="yard"))
        await asyncio.sleep(3600)
        steadying.close()

    loop_time(live)
    return told


@pytest.fixture
def loop_time():
    """Run something in an event loop whose time passes while it would wait."""

    def run(live):
        loop = asyncio.new_event_loop()
        ahead = [0.0]
        select = loop._selector.select

        def at_once(timeout=None):
            ahead[0] += timeout or 0.0
            return select(0)

        loop._selector.select = at_once
        loop.time = lambda: ahead[0]
        try:
            loop.run_until_complete(live())
        finally:
            loop.close()

    return run


LOST, FOUND = "camera_lost", "camera_found"


def test_a_camera_that_is_lost_for_a_moment_is_no_news(loop_time):
    assert steadied(loop_time, (0, LOST), (9, FOUND)) == []
    assert steadied(loop_time, (0, LOST), (20, FOUND)) == [(10, LOST), (20, FOUND)]
    assert steadied(loop_time, (0, LOST), (9, FOUND), grace=0.0) == [(0, LOST), (9, FOUND)]


def test_a_camera_that_comes_and_goes_is_told_a_few_times_and_one_that_stays_away_always(loop_time):
    told = steadied(loop_time, *[(30, LOST), (30, FOUND)] * 30, (30, LOST))
    assert told == [(40, LOST), (60, FOUND), (110, LOST), (120, FOUND), (1830 + 40, LOST)]


def test_only_services_that_failed_are_told_again_and_no_address_is_logged(tmp_path, caplog):
    pytest.importorskip("apprise")
    caplog.set_level(logging.DEBUG)
    with server(200) as (good, got_good), server(500, 200) as (bad, got_bad):
        addresses = [one.replace("http", "json") + f"/hidden{k}" for k, one in enumerate((good, bad))]
        assert telling(PeopleChannel(addresses, tmp_path, 60.0)) == (2, [], (1, 0))
    assert (len(got_good), len(got_bad)) == (1, 2)
    assert "hidden" not in caplog.text


def test_an_unknown_service_is_told_without_its_address(tmp_path):
    pytest.importorskip("apprise")
    with pytest.raises(ParameterError, match=r"^apprise 2: no service is known by this address; see Apprise's list$"):
        PeopleChannel(["json://127.0.0.1", "nonsense://token"], tmp_path, 60.0)


# All of them


def test_each_channel_is_tried(tmp_path):
    with server(200) as (address, got):
        webhooks = (Webhook(url=f"{address}/a"), Webhook(url="http://127.0.0.1:1/"))
        tell = Tell(command=(sys.executable, "-c", "raise SystemExit('no')"), webhook=webhooks)
        results = asyncio.run(try_each(tell, tmp_path, ("yard",)))
    assert [one.name for one in results] == ["command", "webhook 1", "webhook 2"]
    assert results[0].error.endswith("ended with 1: no")
    assert results[1].error is None
    assert results[2].error.startswith("cannot reach http://127.0.0.1:1/: ")
    assert json.loads(got[0][2])["occasion"] == "test"
    assert channels_of(Tell(), tmp_path, ()) == []
