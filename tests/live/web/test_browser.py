"""The page in a real browser, over a watch that runs: pictures move, zones are drawn and kept, events play."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bgsub.live.configuration.reading import read_configuration
from bgsub.live.settings import Access, Web
from tests.live.web.served import cheap, status
from tests.rtsp import RtspServer, launch_line

playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ROOT = Path(__file__).parents[3]
PATIENCE = 90_000  # milliseconds
OWN = ("http://127.0.0.1:", "blob:http://127.0.0.1:", "about:")
CORNERS = ((0.1, 0.1), (0.6, 0.1), (0.6, 0.9), (0.1, 0.9))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.needs_system,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as library:
        flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = library.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens a page; what it complains of, and requests to any other host, fail the test."""
    pages = []

    def call(address, **options):
        page = browser.new_page(**options)
        page.set_default_timeout(PATIENCE)
        complaints = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.on("request", lambda one: None if one.url.startswith(OWN) else complaints.append(one.url))
        pages.append((page, complaints))
        page.goto(address)
        return page

    yield call
    for page, complaints in pages:
        page.close()
        assert complaints == []


class RunningWatch:
    """``bgsub watch`` of a looped file and an RTSP camera, with a page; it can be ended and started again."""

    def __init__(self, folder, url):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.file, self.folder = folder / "cameras.toml", folder
        self.address = f"http://127.0.0.1:{self.port}/"
        self.file.write_text(
            f'# Mine.\nlisten = "127.0.0.1:0"\nstate = "state"\n[web]\nlisten = "127.0.0.1:{self.port}"\n'
            f'[[cameras]]\nname = "room"  # the big one\nsource = "{ROOT / "sample_videos" / "room.mp4"}"\n'
            f'loop = true\nafter = 1\nlongest = 8\n[[cameras]]\nname = "gate"\nsource = "{url}"\n'
        )
        self.start()

    def start(self):
        command = [sys.executable, "-m", "bgsub", "watch", "--config", str(self.file)]
        log = (self.folder / "log.txt").open("ab")
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "PYTHONPATH": str(ROOT)}
        )

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) in (143, -15)

    def wait(self):
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert self.process.poll() is None, (self.folder / "log.txt").read_text()
                time.sleep(0.1)
        raise AssertionError((self.folder / "log.txt").read_text())


@pytest.fixture(scope="module")
def camera():
    with RtspServer(launch_line(width=320, height=180, rate=10, sound=None, gop=10)) as server:
        yield server


@pytest.fixture(scope="module")
def watch(tmp_path_factory, camera):
    watch = RunningWatch(tmp_path_factory.mktemp("watch"), camera.url)
    yield watch.wait()
    if watch.process.poll() is None:
        watch.end()


def moves(page, name, where=""):
    """Wait until a camera's pictures move."""
    canvas = where or f'[data-camera="{name}"] canvas'
    before = page.evaluate("(one) => Number(document.querySelector(one)?.dataset.drawn || 0)", canvas)
    page.wait_for_function(
        "([one, n]) => Number(document.querySelector(one)?.dataset.drawn || 0) >= n + 3", arg=[canvas, before]
    )


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def test_pictures_move_and_views_change_without_another_connection(open_page, watch):
    page = open_page("about:blank")
    sockets = []
    page.on("websocket", lambda one: sockets.append(one.url))
    page.goto(watch.address)
    moves(page, "room"), moves(page, "gate")
    canvas = '[data-camera="room"] canvas'
    look = "(one) => document.querySelector(one).toDataURL()"
    picture = page.evaluate(look, canvas)
    page.wait_for_function(
        "([one, before]) => document.querySelector(one).toDataURL() !== before", arg=[canvas, picture]
    )
    page.select_option('[data-camera="room"] select', "mask")
    moves(page, "room")
    grey = """(one) => { const c = document.querySelector(one), d = c.getContext("2d").getImageData(0, 0, c.width,
        c.height).data; let far = 0; for (let i = 0; i < d.length; i += 4) far += d[i] > 60 && d[i] < 195; return far
        / (d.length / 4) < 0.05 }"""
    page.wait_for_function(grey, arg=canvas)  # a mask is black and white
    page.select_option(".bar-above select", "background")
    moves(page, "room"), moves(page, "gate")
    assert sockets == [watch.address.replace("http", "ws") + "api/live"]
    page.wait_for_selector('[data-camera="room"] .motion polygon[points]:not([points=""])', state="attached")


def test_a_zone_is_drawn_and_kept(open_page, watch):
    page = open_page(watch.address + "#/camera/room")
    moves(page, "room", ".pair canvas")
    press(page, "Draw a zone")
    box = page.locator("svg.zones").bounding_box()
    for x, y in CORNERS:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.mouse.dblclick(box["x"] + 0.1 * box["width"], box["y"] + 0.9 * box["height"])
    page.locator(".zone-list li input").first.fill("carpet")
    press(page, "Save")
    page.wait_for_selector("text=Saved in the file of cameras")
    (zone,) = read_configuration(watch.file).watch.cameras[0].zones
    assert zone.name == "carpet" and len(zone.polygon) == 4
    for corner, drawn in zip(zone.polygon, CORNERS, strict=True):
        assert corner == pytest.approx(drawn, abs=0.02)
    assert "# Mine." in watch.file.read_text() and "# the big one" in watch.file.read_text()
    moves(page, "room", ".pair canvas")  # its process began again
    page.reload()
    page.wait_for_selector("svg.zones polygon.zone.watch", state="attached")
    assert page.locator(".zone-list li input").first.input_value() == "carpet"


def test_what_is_private_is_black_in_every_view(open_page, watch):
    page = open_page(watch.address + "#/camera/room")
    press(page, "Draw a zone")
    box = page.locator("svg.zones").bounding_box()
    for x, y in ((0.02, 0.02), (0.48, 0.02), (0.48, 0.98), (0.02, 0.98), (0.02, 0.98)):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.locator(".zone-list li").last.locator("select").select_option("privacy")
    press(page, "Save")
    page.wait_for_selector("text=Saved in the file of cameras")
    black = """() => { const c = document.querySelector(".pair canvas"), w = c.width, h = c.height;
        const data = c.getContext("2d").getImageData(w * 0.05, h * 0.1, w * 0.4, h * 0.8).data;
        return data.every((value, i) => i % 4 === 3 || value < 40) }"""
    page.wait_for_function(black)  # its process has begun again
    for view in ("picture", "overlay", "mask", "background"):
        page.select_option(".pair figure:first-child select", view)
        moves(page, "room", ".pair canvas")
        assert page.evaluate(black), view
    page.locator(".zone-list li").last.locator("button").click()
    press(page, "Save")
    page.wait_for_function("() => !document.querySelector('.zones .privacy')")


def test_an_event_appears_and_plays(open_page, watch):
    page = open_page(watch.address + "#/events")
    page.wait_for_function(
        "() => [...document.querySelectorAll('#list li')].some((one) => !one.textContent.includes('goes on'))"
    )
    page.wait_for_selector("#list li img")
    assert page.locator(".row svg a").count() >= 1
    done = page.locator("#list li").filter(has_not_text="goes on").first
    done.locator("a").first.click()
    page.wait_for_function("() => document.querySelector('video')?.currentTime > 0.5")
    assert page.evaluate("() => document.querySelector('video').videoWidth") == 384
    page.evaluate("() => { document.querySelector('video').currentTime = 2 }")
    page.wait_for_function("() => document.querySelector('video').currentTime > 2.2")
    with page.expect_download() as kept:
        page.get_by_role("link", name="Keep the file").click()
    assert re.fullmatch(r"(room|gate)-.*\.mp4", kept.value.suggested_filename)
    page.go_back()
    page.select_option("select[name=source]", "gate")
    page.wait_for_function(
        "() => ![...document.querySelectorAll('#list h3')].some((one) => one.textContent.includes('room'))"
    )


def test_a_camera_is_pulled_and_comes_back(open_page, watch, camera):
    page = open_page(watch.address)
    moves(page, "gate")
    camera.kill()
    cover = page.locator('[data-camera="gate"] .cover')
    cover.filter(has_text=re.compile(r"lost since .*:")).wait_for()
    page.locator("#wrong").filter(has_text="camera gate: lost since").wait_for()
    assert "lost" in page.locator('[data-camera="gate"] .state').inner_text()
    camera.start()
    cover.wait_for(state="hidden")
    moves(page, "gate")


def test_the_program_is_started_again_under_an_open_page(open_page, watch):
    page = open_page(watch.address)
    moves(page, "room")
    watch.end()
    page.locator("#connection").filter(has_text="does not answer").wait_for()
    watch.start()
    watch.wait()
    moves(page, "room")
    page.locator("#connection").filter(has_text="does not answer").wait_for(state="detached")


# --------------------------------------------------------------------------------------------- cameras that are played


def test_a_password_is_asked_for_and_a_viewer_changes_nothing(open_page, serve):
    access = (
        Access(name="me", hash=cheap("correct horse")),
        Access(name="wall", hash=cheap("battery staple"), role="viewer"),
    )
    served = serve(web=Web(listen="127.0.0.1:0", access=access))
    served.note(status(), status("door"))
    page = open_page(served.address + "#/camera/yard")
    page.fill("input[type=password]", "wrong password")
    page.press("input[type=password]", "Enter")
    page.wait_for_selector("text=this password is wrong")
    page.fill("input[type=password]", "battery staple")
    page.press("input[type=password]", "Enter")
    page.wait_for_selector("text=You may look, and change nothing.")
    assert page.locator("text=Draw a zone").count() == 0 and page.locator("button.main").is_hidden()
    assert page.locator("input[type=range]").is_disabled()
    press(page, "Log out")
    page.wait_for_selector("input[type=password]")
    page.fill("input[type=password]", "correct horse")
    page.press("input[type=password]", "Enter")
    page.wait_for_selector("text=Draw a zone")


def test_a_zone_is_drawn_by_keys_and_by_numbers(open_page, serve):
    served = serve()
    served.note(status(), status("door"))
    page = open_page(served.address + "#/camera/door")
    page.get_by_role("button", name="Draw a zone").focus()
    page.keyboard.press("Enter")
    for keys in (["Shift+ArrowLeft"] * 4, ["Shift+ArrowUp"] * 4, ["Shift+ArrowRight"] * 8):
        for key in keys:
            page.keyboard.press(key)
        page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # twice on the last one
    numbers = page.locator(".zone-list textarea")
    assert numbers.input_value() == "30, 50; 30, 30; 70, 30"
    numbers.fill("30, 50; 30, 30; 70, 30; 70, 50")
    page.select_option(".zone-list select", "privacy")
    press(page, "Save")
    page.wait_for_selector("text=It holds until the program ends")
    (zone,) = served.station.camera("door").zones
    assert (zone.kind, zone.polygon) == ("privacy", ((0.3, 0.5), (0.3, 0.3), (0.7, 0.3), (0.7, 0.5)))
    press(page, "Remove zone 1")
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    page.get_by_role("link", name="Events", exact=True).click()
    page.wait_for_function("() => location.hash === '#/camera/door'")
    assert asked == ["What was changed here is not saved. Leave all the same?"]
    press(page, "Save")
    page.wait_for_function("() => !document.querySelector('.zones .zone')")
    assert served.station.camera("door").zones == ()


def test_what_the_browser_cannot_play_is_said_and_offered(open_page, serve):
    served = serve()
    record = served.event(clip=b"this is no film")
    page = open_page(served.address + f"#/event/{record.id}")
    page.wait_for_selector("text=This browser cannot play this recording")
    with page.expect_download() as kept:
        page.get_by_role("link", name="Keep the file").click()
    assert Path(kept.value.path()).read_bytes() == b"this is no film"


def test_any_moment_of_a_continuous_recording_plays(open_page, serve):
    served = serve()
    clip = (ROOT / "sample_videos" / "room.mp4").read_bytes()
    served.segment(content=clip)
    page = open_page(served.address + "#/events")
    page.fill("input[name=day]", "2026-11-27")
    page.locator("h2").filter(has_text="27").wait_for()
    row = page.locator(".row svg").first
    row.wait_for()
    noon = page.evaluate("() => (new Date('2026-11-27T12:00:30Z') - new Date('2026-11-27T00:00')) / 864e5")
    box = row.bounding_box()
    row.click(position={"x": noon * box["width"], "y": box["height"] / 2})
    page.wait_for_function("() => document.querySelector('video')?.videoWidth === 384")
    assert "Keep the file" in page.inner_text("main")


def test_long_lists_come_page_by_page_and_hostile_names_are_text(open_page, serve):
    served = serve()
    for n in range(60):
        served.event(seconds=n * 60, zones=("<img src=x onerror=alert(1)>",) if n == 59 else ())
    page = open_page(served.address + "#/events")
    page.wait_for_function("() => document.querySelectorAll('#list li').length === 24")
    page.fill("input[name=day]", "2026-11-27")  # "More" waits for the list of that day
    for n in (48, 60):
        press(page, "More")
        page.wait_for_function("(n) => document.querySelectorAll('#list li').length === n", arg=n)
    assert page.locator("#list + button").is_hidden()
    ids = page.evaluate("() => [...document.querySelectorAll('#list li')].map((one) => one.id)")
    assert len(set(ids)) == 60 and ids == sorted(ids, reverse=True)
    assert page.locator("text=<img src=x onerror=alert(1)>").count() == 1


def test_a_day_is_walked_through_by_keys_and_its_hours_are_chosen(open_page, serve):
    served = serve()
    clip = (ROOT / "sample_videos" / "room.mp4").read_bytes()
    for hour in range(-3, 4):
        served.event(seconds=hour * 3600, clip=clip)
    page = open_page(served.address + "#/events", timezone_id="UTC")
    page.fill("input[name=day]", "2026-11-27")
    page.wait_for_function("() => document.querySelectorAll('.row svg a').length === 7")
    assert page.locator(".row svg a[tabindex='0']").count() == 1
    page.locator(".row svg a[tabindex='0']").focus()
    label = "() => document.activeElement.getAttribute('aria-label')"
    assert "3:00:00" in page.evaluate(label)
    for key, hour in (("ArrowLeft", "2:00:00"), ("Home", "9:00:00"), ("ArrowLeft", "9:00:00"), ("ArrowRight", "10:00")):
        page.keyboard.press(key)
        assert hour in page.evaluate(label)
    page.fill("input[name=from]", "11:30")
    page.fill("input[name=until]", "13:30")
    page.wait_for_function("() => document.querySelectorAll('#list li').length === 2")
    page.fill("input[name=from]", "14:30")  # over midnight
    page.wait_for_function("() => document.querySelectorAll('#list li').length === 1")
    page.fill("input[name=from]", "05:00")
    page.fill("input[name=until]", "06:00")
    page.wait_for_selector("text=no such event")
    page.locator(".row svg a[tabindex='0']").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.tagName === 'VIDEO'")  # whose keys play and seek
    assert page.title() == "yard · Event · Cameras"
    page.get_by_role("link", name="Live", exact=True).press("Enter")
    page.wait_for_selector(".camera")
    assert page.title() == "Cameras"


def test_of_cameras_that_are_not_on_the_screen_no_pictures_are_made(open_page, serve, tmp_path):
    names = [f"camera-{n:02}" for n in range(15)] + ["n" * 64]
    file = tmp_path / "cameras.toml"
    file.write_text("".join(f'[[cameras]]\nname = "{name}"\nsource = "rtsp://x/{name}"\n' for name in names))
    served = serve(configuration=file)
    served.note(*(status(name) for name in names))
    page = open_page(served.address, viewport={"width": 390, "height": 844})

    def wanted():
        last = dict(served.sent)
        return {name for name, show in last.items() if show.views}

    def until(condition):
        end = time.monotonic() + PATIENCE / 1000
        while not condition():
            assert time.monotonic() < end, wanted()
            page.wait_for_timeout(50)

    until(lambda: "camera-00" in wanted() and len(wanted()) <= 4)
    assert dict(served.sent)["camera-00"].width <= 390
    page.locator(f'[data-camera="{names[-1]}"]').scroll_into_view_if_needed()
    until(lambda: names[-1] in wanted() and "camera-00" not in wanted() and len(wanted()) <= 4)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    page.get_by_role("link", name="Events", exact=True).click()
    until(lambda: not wanted())
