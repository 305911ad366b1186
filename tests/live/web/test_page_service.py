"""The page as a part of a watch: it serves what is watched, takes up other people, and lets go of all at the end."""

import asyncio
import json
import threading
import urllib.error
import urllib.request
from types import SimpleNamespace

import msgspec
import pytest

from bgsub.live.archive.index import INDEX, Index
from bgsub.live.clock import Clock
from bgsub.live.health.state import Health
from bgsub.live.messages import Shown
from bgsub.live.settings import Access, Watch, Web
from bgsub.live.supervising.audience import Audience
from bgsub.live.supervising.running import Running
from bgsub.live.web.page_service import PageService
from tests.live.web.served import BEGAN, CAMERAS, cheap, status

ME = Access(name="me", hash=cheap("correct horse"))


@pytest.fixture
def watch(tmp_path):
    (tmp_path / "state").mkdir()
    Index(tmp_path / "state" / INDEX, Clock()).close()
    return Watch(cameras=CAMERAS, directory=str(tmp_path), state=str(tmp_path / "state"), web=Web(listen="127.0.0.1:0"))


async def started(watch):
    clock = Clock()
    health, audience, taken = Health(clock), Audience(clock), []
    health.watch(tuple(camera.name for camera in watch.cameras))

    async def take_up(other):
        taken.append(other)
        return ()

    supervisor = SimpleNamespace(send=lambda camera, message: True, cameras={})
    service = PageService()
    await service.start(Running(watch, clock, health, audience, supervisor, take_up))
    return service, health, audience, taken


async def get(service, path, **headers):
    def ask():
        request = urllib.request.Request(service.address.rstrip("/") + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    return await asyncio.to_thread(ask)


def test_it_serves_what_is_watched_and_lets_go(watch):
    before = threading.active_count()

    async def serve():
        service, health, audience, _ = await started(watch)
        health.note(status())
        audience.tell(status(moving=0.5))
        audience.tell(Shown(camera="yard", view="picture", at=BEGAN, jpeg=b"x"))
        code, body = await get(service, "/api/overview")
        assert code == 200 and json.loads(body)["cameras"][0]["state"] == "live"
        code, body = await get(service, "/metrics")
        assert code == 200 and b"bgsub_camera_live" in body
        await audience.close(5)
        await service.stop()
        with pytest.raises(urllib.error.URLError):
            await get(service, "/")

    asyncio.run(serve())
    assert threading.active_count() <= before + 1


def test_people_are_taken_up_while_it_runs_and_a_page_of_the_network_never_opens_to_all(watch):
    async def serve():
        service, *_ = await started(watch)
        locked = msgspec.structs.replace(watch, web=Web(listen="127.0.0.1:0", access=(ME,)))
        await service.change(locked)
        assert (await get(service, "/api/overview"))[0] == 401
        assert (await get(service, "/api/overview", Authorization="Bearer correct horse"))[0] == 200
        await service.change(watch)
        assert (await get(service, "/api/overview"))[0] == 200
        await service.stop()
        outside = msgspec.structs.replace(watch, web=Web(listen="0.0.0.0:0", access=(ME,)))
        service, *_ = await started(outside)
        await service.change(msgspec.structs.replace(watch, web=Web(listen="127.0.0.1:0")))
        service.address = service.address.replace("0.0.0.0", "127.0.0.1")
        assert (await get(service, "/api/overview"))[0] == 401
        await service.stop()

    asyncio.run(serve())


def test_what_takes_a_restart_is_told(watch, caplog):
    async def serve():
        service, *_ = await started(watch)
        await service.change(msgspec.structs.replace(watch, web=Web(listen="127.0.0.1:1")))
        await service.stop()
        none = PageService()
        await none.change(watch)
        await none.stop()

    asyncio.run(serve())
    assert "a change of where the page is served takes a restart of bgsub watch" in caplog.text
    assert "a page where there was none takes a restart of bgsub watch" in caplog.text


def test_a_disk_that_hangs_holds_up_neither_the_list_nor_what_is_told(serve, monkeypatch):
    hangs = threading.Event()
    monkeypatch.setattr("bgsub.live.web.asking._DISK_PATIENCE", 0.1)
    monkeypatch.setattr("bgsub.live.web.asking.shutil", SimpleNamespace(disk_usage=lambda path: hangs.wait(120)))
    page = serve()
    record = page.event()
    monkeypatch.setattr("bgsub.live.web.recorded._opened", lambda *_: hangs.wait(120))
    page.note(status())
    try:
        stuck = [threading.Thread(target=page.get, args=(f"/api/events/{record.id}/clip",)) for _ in range(12)]
        for one in stuck:
            one.start()
        answer = page.get("/api/overview").body
        assert answer["disk"] is None and answer["cameras"][0]["state"] == "live"
        assert len(page.get("/api/events").body["events"]) == 1
    finally:
        hangs.set()
        for one in stuck:
            one.join(60)
