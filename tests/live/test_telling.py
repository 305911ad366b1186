"""Who is told what, in which words; programs, addresses and people, tried on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import os
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest

import bgsub
from bgsub.errors import OutputError, ParameterError
from bgsub.live.clock import Clock
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
from bgsub.live.telling.channels import PAUSES, Telling, channels_of, listeners_of, try_each
from bgsub.live.telling.occasions import FACTS, Occasion, Occasions, as_json, facts_of
from bgsub.live.telling.people import PeopleChannel
from bgsub.live.telling.programs import ProgramChannel, check_command
from bgsub.live.telling.refusal import Away, Refused
from bgsub.live.telling.steadying import Steadying
from bgsub.live.telling.waiting import Waiting
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


def names(messages, before=None, **tell):
    occasions = Occasions(Tell(**tell), before)
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


def test_trouble_is_over_when_a_process_that_has_recorded_says_so():
    dead = msgspec.structs.replace(status(), state="broken")
    occasions = Occasions(Tell())
    told = []
    for message in [status("full"), dead, status(), status(), EventOpened(record(end=None)), status()]:
        told.append(occasions.of(message))
    assert [one and (one.name, one.why) for one in told] == [
        ("trouble", "full"),
        *(None, None, None),
        ("event_opened", None),
        ("trouble", None),
    ]


def test_what_was_trouble_when_the_run_before_ended_is_not_told_again_but_its_end_is():
    before = {"": "disk full", "yard": "disk full"}
    assert names([Trouble(at=START, why="disk is full"), status("disk full")], before) == []
    assert names([Trouble(at=START, why=None), status(), status()], before) == ["trouble"]
    assert names([EventClosed(record(error="disk full")), status()], before, on=("trouble",)) == []
    assert names([EventClosed(record()), status()], before, on=("trouble",)) == ["trouble"]


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
        clock = f"{START.astimezone():%Y-%m-%d %H:%M:%S}"  # long ago, so with its date
        later = f"{(START + timedelta(seconds=8)).astimezone():%Y-%m-%d %H:%M:%S}"
        assert occasion.text == text.replace("CLOCK", clock).replace("LATER", later)


def test_what_is_told_on_its_day_has_no_date():
    now = datetime.now(UTC)
    assert (
        Occasion(name="camera_found", at=now, camera="yard", away=7).text
        == f"after 7 s, at {now.astimezone():%H:%M:%S}"
    )


def test_an_occasion_is_known_again_by_its_delivery():
    lost = Occasion(name="camera_lost", at=START, camera="yard", why="refused")
    others = [
        event(),
        Occasion(name="event_opened", at=START, camera="yard", event=record(end=None)),
        msgspec.structs.replace(lost, camera="door"),
        msgspec.structs.replace(lost, at=START + timedelta(seconds=1)),
        Occasion(name="trouble", at=START, why="full"),
        Occasion(name="trouble", at=START),
    ]
    assert len({one.delivery for one in [lost, *others]}) == 7
    again = msgspec.json.decode(msgspec.json.encode(lost), type=Occasion)
    assert again.delivery == lost.delivery
    assert event(objects=2, error="cut off").delivery == event().delivery  # the same event, completed a second time


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
    name = key = "failing"
    keeps, grace = 3600.0, 0.0

    def __init__(self, *faults):
        self.faults, self.tried = list(faults), []

    async def tell(self, occasion):
        self.tried.append(occasion)
        if self.faults:
            raise self.faults.pop(0)

    def replaces(self, old, new):
        return False

    async def close(self):
        pass


def telling(channel, occasion=event()):  # noqa: B008 - immutable
    """Return the pauses that were made, what was logged, and how much was told and lost."""
    waited, lines = [], []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())
    sleep = asyncio.sleep

    async def noted(seconds):
        waited.append(seconds)
        await sleep(0)

    async def tell():
        line = Waiting(None, Clock()).line("test")
        teller = Telling(channel, line, (1.0, 2.0, 3.0, 4.0, 5.0))
        teller.take(None, occasion)
        await teller.close(60.0)
        return teller.told, line.lost

    logger = logging.getLogger("bgsub.live.telling.channels")
    logger.addHandler(handler)
    level, logger.level = logger.level, logging.INFO
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bgsub.live.telling.channels.asyncio.sleep", noted)
            counts = asyncio.run(tell())
    finally:
        logger.removeHandler(handler)
        logger.level = level
    return waited, lines, counts


def test_what_fails_is_tried_again_later_and_later():
    channel = Failing(OutputError("a"), OutputError("b"))
    assert telling(channel) == ([1.0, 2.0], [], (1, 0))
    assert channel.tried[0] is channel.tried[2]
    assert list(PAUSES) == sorted(PAUSES)


def test_what_fails_five_times_more_is_lost_and_told():
    channel = Failing(*[OutputError("away")] * 9)
    assert telling(channel) == ([1.0, 2.0, 3.0, 4.0, 5.0], ["failing: event_closed was not told: away"], (0, 1))
    assert len(channel.tried) == 6


def test_who_is_not_there_is_tried_for_as_long_as_that_is_of_use_and_told_of_once():
    channel = Failing(*[Away("gone")] * 9, Away("gone", 7.5), Away("gone", 0.5))
    lines = ["failing: gone; it is tried again, and what waits for it is kept", "failing: messages are taken again"]
    assert telling(channel) == ([1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0, 7.5, 5.0], lines, (1, 0))
    channel = Failing(*[Away("gone")] * 9)
    channel.keeps = -1.0
    assert telling(channel)[2] == (0, 1)


def test_what_is_refused_is_not_tried_again():
    assert telling(Failing(Refused("no"))) == ([], ["failing: event_closed was not told: no"], (0, 1))


def test_a_fault_of_a_channel_costs_a_message_and_shows_no_secret():
    assert telling(Failing(ValueError("secret"))) == ([], ["failing: event_closed was not told: ValueError"], (0, 1))


def test_what_is_no_occasion_costs_nothing():
    channel = Failing()
    assert telling(channel, None) == ([], [], (0, 0))
    assert channel.tried == []


def test_a_channel_that_hangs_delays_nobody_and_loses_the_oldest(caplog):
    class Hanging(Failing):
        async def tell(self, occasion):
            self.tried.append(occasion)
            await asyncio.sleep(3600)

    async def tell():
        channel, quick = Hanging(), Failing()
        quick.name = "quick"
        waiting = Waiting(None, Clock())
        tellers = [Telling(one, waiting.line(one.name)) for one in (channel, quick)]
        for k in range(1500):
            for teller in tellers:
                teller.take(None, event(objects=k))
            await asyncio.sleep(0)
        await tellers[1].close(60.0)
        assert [one.event.objects for one in quick.tried] == list(range(1500))
        assert len(channel.tried) == 1
        assert tellers[0].line.lost == 500
        await tellers[0].close(0.01)
        await waiting.close()

    asyncio.run(tell())
    assert "failing: messages that wait for it are given up, the oldest first: more than 1000 wait" in caplog.messages
    assert "failing: what waits is not told any more: 1000" in caplog.messages


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
def server(*answers, port=0):
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

    serving = HTTPServer(("127.0.0.1", port), Handler)
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
    signed = headers["X-Bgsub-Timestamp"].encode() + b"." + body
    assert headers["X-Bgsub-Signature"] == f"sha256={hmac.new(b'key', signed, hashlib.sha256).hexdigest()}"
    assert abs(int(headers["X-Bgsub-Timestamp"]) - time.time()) < 600
    told = json.loads(body)
    assert told["delivery"] == headers["X-Bgsub-Delivery"] == event().delivery
    assert headers["Idempotency-Key"] == f'"{event().delivery}"'
    assert told["event"]["clip"] == "yard/2026-03-01/a.mp4"
    assert told["directory"] == str(tmp_path)


def test_the_readme_shows_how_a_receiver_checks_what_it_gets(tmp_path):
    text = (Path(bgsub.__file__).parent / "live" / "README.md").read_text(encoding="utf-8")
    code = text[text.index("```python\nimport hashlib") + len("```python\n") :].partition("```")[0]
    names = {}
    exec(code, names)
    with server() as (address, got):
        asyncio.run(WebhookChannel(Webhook(url=address, secret="key"), tmp_path).tell(event()))
    ((_, headers, body),) = got
    assert names["is_genuine"](b"key", headers, body)
    assert not names["is_genuine"](b"another", headers, body)
    assert not names["is_genuine"](b"key", headers, body + b" ")
    old = str(int(time.time()) - 1000)
    digits = hmac.new(b"key", old.encode() + b"." + body, hashlib.sha256).hexdigest()
    late = {"X-Bgsub-Timestamp": old, "X-Bgsub-Signature": f"sha256={digits}"}
    assert not names["is_genuine"](b"key", late, body)


def test_further_tries_send_the_same_message(tmp_path):
    with server(500, 429, 200) as (address, got):
        channel = WebhookChannel(Webhook(url=address), tmp_path)
        pauses, _, counts = telling(channel)
    assert (pauses, counts) == ([1.0, 2.0], (1, 0))
    assert got[0][2] == got[1][2] == got[2][2]
    assert got[0][1]["Idempotency-Key"] == got[2][1]["Idempotency-Key"]
    assert "X-Bgsub-Signature" not in got[0][1]


LATER = format_datetime(datetime(2100, 1, 1, tzinfo=UTC), usegmt=True)


@pytest.mark.parametrize(
    ("answer", "later"),
    [
        (b"HTTP/1.1 429 Too Many Requests\r\nX: y\r\nRetry-After: 40\r\n\r\n", 40.0),
        (b"HTTP/1.1 503 no\nretry-after:  90 \n\n", 90.0),
        (f"HTTP/1.1 503 no\r\nRetry-After: {LATER}\r\n\r\n".encode(), 3600.0),
        (b"HTTP/1.1 503 no\r\nRetry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n", 0.0),
        (b"HTTP/1.1 503 no\r\nRetry-After: soon\r\n\r\n", None),
        (b"HTTP/1.1 503 no\r\nRetry-After: -5\r\n\r\n", None),
        (b"HTTP/1.1 503 no\r\n" + b"A: b\r\n" * 5000, None),
        (b"HTTP/1.1 503 no\r\n" + b"A" * 100_000, None),
        (b"HTTP/1.1 504 no\r\n\r\nRetry-After: 7\r\n", None),
        (b"HTTP/1.1 502 no", None),
        (b"HTTP/1.1 408 no\r\n", None),
    ],
)
def test_who_says_when_to_come_again_is_tried_then(tmp_path, answer, later):
    with server(answer) as (address, _), pytest.raises(Away) as caught:
        asyncio.run(WebhookChannel(Webhook(url=address), tmp_path).tell(event()))
    assert caught.value.later == later


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
        connections = []  # one that nobody holds is closed
        silent = await asyncio.start_server(lambda *connection: connections.append(connection), "127.0.0.1", 0)
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


def people(tmp_path, address, occasions, pause=60.0, steps=()):
    now = [0.0]

    async def tell():
        channel = PeopleChannel(address, tmp_path, pause, monotonic=lambda: now[0])
        for occasion, step in zip(occasions, [*steps] or [0.0] * len(occasions), strict=True):
            now[0] += step
            await channel.tell(occasion)

    asyncio.run(tell())


def test_a_folder_whose_name_is_no_text_is_told_all_the_same(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    assert json.loads(msgspec.json.encode(as_json(event(), folder)))["directory"] == f"{tmp_path}/caf\\xe9"
    with server() as (address, got):
        asyncio.run(WebhookChannel(Webhook(url=address), folder).tell(event()))
    assert len(got) == 1


def test_what_people_read_is_text_whatever_is_in_it(tmp_path):
    pytest.importorskip("apprise")
    with server() as (address, got):  # a service whose messages are HTML
        people(tmp_path, address.replace("http", "json") + "/?format=html", [event(zones=("<b>gate & co",))])
    told = json.loads(got[0][2])["message"]
    assert "<b>" not in told
    assert "&lt;b&gt;gate" in told


def test_people_get_the_picture(tmp_path):
    pytest.importorskip("apprise")
    (tmp_path / "yard/2026-03-01").mkdir(parents=True)
    (tmp_path / "yard/2026-03-01/a.jpg").write_bytes(b"\xff\xd8 a picture")
    with server() as (address, got):
        people(tmp_path, address.replace("http", "json"), [event(zones=("gate",))])
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
        people(tmp_path, address.replace("http", "json"), occasions, steps=[0, 0, 10, 10, 0, 50, 10])
    told = [json.loads(body)["message"] for _, _, body in got]
    assert len(told) == 3
    assert [text.endswith("; and 2 before it") for text in told] == [False, False, True]
    assert told[1].startswith("refused")


def test_the_same_trouble_of_all_cameras_is_told_once(tmp_path):
    pytest.importorskip("apprise")
    whys = ["DIR: 1.5 MB are free", "DIR: 1.4 MB are free", "DIR does not answer", None, None, "DIR: 1.5 MB are free"]
    occasions = [Occasion(name="trouble", at=START, camera=f"cam{k}", why=why) for k, why in enumerate(whys)]
    with server() as (address, got):
        people(tmp_path, address.replace("http", "json"), occasions, steps=[0, 1, 1, 1, 1, 60])
    told = [json.loads(body)["message"].partition(" (")[0] for _, _, body in got]
    assert told == [whys[0], whys[2], "it is over", whys[5]]


def steadied(loop_time, *steps, grace=10.0, line=None):
    """Let a camera be lost and found at steps of seconds; return what was told when."""
    told = []

    async def live():
        loop = asyncio.get_running_loop()
        began = loop.time()
        waiting = line or Waiting(None, Clock()).line("test")
        steadying = Steadying(waiting, grace)
        taking = loop.create_task(take(waiting, began))
        for step, name in steps:
            await asyncio.sleep(step)
            steadying.hear(Occasion(name=name, at=START, camera="yard"))
        await asyncio.sleep(3600)
        steadying.close()
        taking.cancel()
        assert not waiting.held

    async def take(waiting, began):
        while True:
            while (first := waiting.first) is not None:
                told.append((round(asyncio.get_running_loop().time() - began), first.occasion.name))
                waiting.drop(first)
            await waiting.news()

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


def test_a_loss_that_was_held_back_when_the_program_ended_is_told_by_the_next_one(loop_time):
    line = Waiting(None, Clock()).line("test")
    line.put(Occasion(name=LOST, at=START, camera="yard"))
    assert steadied(loop_time, (20, FOUND), line=line) == [(10, LOST), (20, FOUND)]
    line.put(Occasion(name=LOST, at=START, camera="yard"))
    assert steadied(loop_time, (9, FOUND), line=line) == []
    for name in (LOST, FOUND):
        line.put(Occasion(name=name, at=START, camera="yard"))
    assert steadied(loop_time, line=line) == [(0, LOST), (0, FOUND)]


def test_a_service_that_fails_keeps_no_other_one_waiting_and_no_address_is_logged(tmp_path, caplog):
    pytest.importorskip("apprise")
    caplog.set_level(logging.DEBUG)

    async def tell(tell):
        waiting = Waiting(None, Clock())
        listeners = listeners_of(tell, tmp_path, ("yard",), waiting)
        for listener in listeners:
            for k in range(3):
                listener.take(None, Occasion(name="trouble", at=START, camera=f"cam{k}", why="x" * (k + 1)))
        async with asyncio.timeout(60):
            while listeners[1].told < 3 or not got_bad:
                await asyncio.sleep(0.02)
        await asyncio.gather(*(listener.close(0.01) for listener in listeners))
        return [(one.name, one.told, one.line.lost, len(one.line)) for one in listeners]

    with server(200) as (good, got_good), server(500) as (bad, got_bad):
        addresses = tuple(one.replace("http", "json") + f"/hidden{k}" for k, one in enumerate((bad, good)))
        assert asyncio.run(tell(Tell(apprise=addresses))) == [("apprise 1", 0, 0, 3), ("apprise 2", 3, 0, 0)]
    assert len(got_good) == 3
    assert "apprise 1: json did not take the message; check its address" in caplog.text
    assert "hidden" not in caplog.text


def test_a_service_that_hangs_is_waited_for_and_told_once(tmp_path, monkeypatch):
    pytest.importorskip("apprise")
    monkeypatch.setattr("bgsub.live.telling.people._PATIENCE", 0.05)
    goes_on, called = threading.Event(), []

    def hang(self, title, *_):
        called.append(title)
        return goes_on.wait(60)

    monkeypatch.setattr(PeopleChannel, "_notify", hang)

    async def tell():
        channel = PeopleChannel("json://127.0.0.1", tmp_path, 60.0)
        lost, found = (Occasion(name=name, at=START, camera="yard") for name in (LOST, FOUND))
        for occasion in (lost, lost, found):
            with pytest.raises(Away, match=r"^json does not come back within 0.05 s; check its address$"):
                await channel.tell(occasion)
        goes_on.set()
        await channel.tell(found)
        await channel.close()

    asyncio.run(tell())
    assert called == ["yard is lost", "yard is back"]


def test_people_hear_how_a_camera_is_not_how_it_was(tmp_path):
    pytest.importorskip("apprise")
    line = Waiting(None, Clock()).line("test")
    line.replaces = PeopleChannel("json://127.0.0.1", tmp_path, 60.0).replaces
    for name, camera, values in [
        (LOST, "yard", {}),
        (LOST, "door", {}),
        ("trouble", "yard", {"why": "full"}),
        ("event_closed", "yard", {"event": record()}),
        (FOUND, "yard", {}),
        ("trouble", "yard", {}),
        ("event_closed", "yard", {"event": record()}),
    ]:
        line.put(Occasion(name=name, at=START, camera=camera, **values))
    left = [(one.occasion.name, one.occasion.camera, one.occasion.why) for one in line]
    assert left == [
        (LOST, "door", None),
        ("event_closed", "yard", None),
        (FOUND, "yard", None),
        ("trouble", "yard", None),
        ("event_closed", "yard", None),
    ]
    assert line.lost == 0


def test_an_unknown_service_is_told_without_its_address(tmp_path):
    pytest.importorskip("apprise")
    with pytest.raises(ParameterError, match=r"^apprise 2: no service is known by this address; see Apprise's list$"):
        channels_of(Tell(apprise=("json://127.0.0.1", "nonsense://token")), tmp_path, ())


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
