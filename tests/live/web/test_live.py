"""Live pictures over one WebSocket: only what is looked at is made, only the newest is sent, and leaving ends it."""

import json
import time
from datetime import timedelta

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from bgsub.live.messages import EventClosed, EventRecord, Show, Shown
from bgsub.live.settings import Access, Web
from bgsub.live.web.questions import Bundle
from bgsub.live.web.viewing import MOST_VIEWERS
from tests.live.web.served import BEGAN, cheap, status

PATIENCE = 60  # seconds


def look(page, **options):
    options = {"additional_headers": {}, **options}
    return connect(f"ws://{page.host}:{page.port}/api/live", open_timeout=PATIENCE, max_size=None, **options)


def say(socket, views, **values):
    socket.send(json.dumps({"type": "looking", "views": views, **values}))


def until(condition):
    """Wait until something holds, and return it."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)
    return found


def received(socket, kind):
    """Return the next message of a kind: bundles are bytes, news are text."""
    while True:
        message = socket.recv(PATIENCE)
        if isinstance(message, kind):
            return message


def opened(data):
    """Return a bundle's number and its pictures."""
    length = int.from_bytes(data[:4], "big")
    head = msgspec.json.decode(data[4 : 4 + length], type=Bundle)
    at, pictures = 4 + length, []
    for picture in head.pictures:
        pictures.append((picture.camera, picture.view, data[at : at + picture.size]))
        at += picture.size
    assert at == len(data)
    return head.number, pictures


def shown(camera="yard", view="picture", jpeg=b"jpeg"):
    return Shown(camera=camera, view=view, at=BEGAN, jpeg=jpeg)


def asked(page, camera="yard"):
    """Return what a camera was told last."""
    return next((message for name, message in reversed(page.sent) if name == camera), None)


def test_only_what_is_looked_at_is_asked_for_and_sent(page):
    with look(page) as socket:
        say(socket, {"yard": ["overlay"], "shed": ["picture"]}, per_second=10, width=320)
        until(lambda: asked(page) == Show(views=("overlay",), per_second=10, width=320))
        assert asked(page, "door") is None and asked(page, "shed") is None
        page.note(shown(), shown("door"), shown(view="overlay", jpeg=b"this"))
        assert opened(received(socket, bytes)) == (1, [("yard", "overlay", b"this")])
        say(socket, {"yard": ["mask", "picture"]}, per_second=10, width=320)
        until(lambda: asked(page) == Show(views=("mask", "picture"), per_second=10, width=320))
        page.note(shown(view="overlay"), shown(view="mask", jpeg=b"m"), shown(jpeg=b"p"))
        assert opened(received(socket, bytes)) == (2, [("yard", "mask", b"m"), ("yard", "picture", b"p")])
    until(lambda: asked(page) == Show(views=()))
    assert len(page.server.viewing) == 0


def test_several_pages_share_what_a_camera_makes(page):
    with look(page) as one, look(page) as two:
        say(one, {"yard": ["picture"]}, per_second=2, width=320)
        say(two, {"yard": ["mask"], "door": ["picture"]}, per_second=8, width=640)
        until(lambda: asked(page) == Show(views=("mask", "picture"), per_second=8, width=640))
    until(lambda: asked(page) == Show(views=()) and asked(page, "door") == Show(views=()))


def test_cameras_are_asked_again_before_they_forget(page, monkeypatch):
    monkeypatch.setattr("bgsub.live.web.viewing.SHOWN_FOR", 0.1)
    with look(page) as socket:
        say(socket, {"yard": ["picture"]})
        until(lambda: len([1 for name, message in page.sent if message.views]) > 1)


def test_who_does_not_draw_gets_no_more_and_then_the_newest(page):
    with look(page) as socket:
        say(socket, {"yard": ["picture"]}, per_second=15)
        until(lambda: asked(page))
        got = []
        for n in range(40):
            page.note(shown(jpeg=b"%d" % n))
            time.sleep(0.01)
        with pytest.raises(TimeoutError):
            while True:
                message = socket.recv(0.5)
                got += [opened(message)] if isinstance(message, bytes) else []
        assert len(got) == 2  # which are not drawn
        socket.send(json.dumps({"type": "drawn", "number": got[-1][0]}))
        assert opened(received(socket, bytes)) == (3, [("yard", "picture", b"39")])


def test_a_slow_viewer_is_made_fewer_pictures_until_it_is_quick_again(page, monkeypatch):
    monkeypatch.setattr("bgsub.live.web.viewing.SHOWN_FOR", 0.6)

    def per_second():
        page.note(shown(), shown("door"))
        time.sleep(0.01)
        return asked(page).per_second if asked(page) else None

    with look(page) as slow:
        say(slow, {"yard": ["picture"], "door": ["picture"]}, per_second=8)
        until(lambda: per_second() == 8)
        until(lambda: per_second() == 0.5)
        with look(page) as quick:  # who is slow takes nothing from others
            say(quick, {"yard": ["picture"]}, per_second=4)
            until(lambda: asked(page).per_second == 4)
        until(lambda: asked(page).per_second == 0.5)
        while asked(page).per_second < 8:
            message = slow.recv(PATIENCE)
            if isinstance(message, bytes):
                slow.send(json.dumps({"type": "drawn", "number": opened(message)[0]}))
                page.note(shown())


def test_news_tell_cameras_and_events_each_second(page):
    record = EventRecord(id="yard/x", camera="yard", start=BEGAN, end=BEGAN + timedelta(seconds=3))
    with look(page) as socket:
        first = json.loads(received(socket, str))
        page.note(status(moving=0.5), EventClosed(record))
        second = json.loads(received(socket, str))
        assert second["number"] == first["number"] + 1 and second["type"] == "news"
        assert second["cameras"][0]["moving"] == 0.5
        assert [event["id"] for event in second["events"]] == ["yard/x"]
        assert json.loads(received(socket, str))["events"] == []


@pytest.mark.parametrize(
    "message",
    ["", "x", "{}", '{"type": "looking", "views": {"yard": ["all"]}}', '{"type": "looking", "views": {"../x": []}}',
     '{"type": "looking", "views": {}, "per_second": 1000}', '{"type": "drawn", "number": -1}', b"\xff", "[" * 10_000,
     "x" * 100_000],
)  # fmt: skip
def test_what_is_not_understood_ends_the_connection_alone(page, message):
    with look(page) as socket, look(page) as other:
        socket.send(message)
        with pytest.raises(ConnectionClosed):
            received(socket, bytes)
        assert received(other, str)
    until(lambda: len(page.server.viewing) == 0)


def test_another_page_cannot_connect(page):
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}):
        with pytest.raises(InvalidStatus), look(page, additional_headers=headers):
            pass
    with look(page, additional_headers={"Origin": f"http://{page.host}:{page.port}"}) as socket:
        assert received(socket, str)


def test_pictures_take_a_password_and_end_with_the_session(serve):
    page = serve(web=Web(listen="127.0.0.1:0", access=(Access(name="me", hash=cheap("correct horse")),)))
    with look(page) as socket, pytest.raises(ConnectionClosed) as closed:
        received(socket, str)
    assert closed.value.rcvd.code == 4401
    answer = page.request("POST", "/api/session", {"password": "correct horse"})
    cookie = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
    with look(page, additional_headers=cookie) as socket:
        received(socket, str)
        page.request("DELETE", "/api/session", headers=cookie)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(PATIENCE)
        assert closed.value.rcvd.code == 4401
    with look(page, additional_headers={"Authorization": "Bearer correct horse"}) as socket:
        assert received(socket, str)


def test_a_page_stays_open(page, monkeypatch):
    monkeypatch.setattr("bgsub.live.web.page_server._SLOW", 0.2)
    with look(page) as socket:
        numbers = [json.loads(received(socket, str))["number"] for _ in range(3)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]


def test_there_are_so_many_pages_and_no_more(page):
    sockets = [look(page) for _ in range(MOST_VIEWERS)]
    with look(page) as one, pytest.raises(ConnectionClosed) as closed:
        received(one, str)
    assert closed.value.rcvd.code == 4429
    for socket in sockets:
        socket.close()
    until(lambda: len(page.server.viewing) == 0)


def test_who_is_gone_without_a_word_is_let_go(page, monkeypatch):
    monkeypatch.setattr("bgsub.live.web.looking_socket._STUCK", 0.3)
    socket = look(page)
    say(socket, {"yard": ["picture"]}, per_second=15)
    until(lambda: asked(page))
    socket.socket.shutdown(2)
    until(lambda: len(page.server.viewing) == 0)
    assert asked(page) == Show(views=())
