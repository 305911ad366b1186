"""What is let in: names of hosts, origins, cookies and tokens, roles, sizes; and the headers that hold a browser."""

import http.client
import shutil
import socket
import ssl
import subprocess

import pytest

from bgsub.errors import OutputError
from bgsub.live.settings import Access, Web
from bgsub.live.web.entrances import UNUSED
from bgsub.live.web.page_server import PageServer
from tests.live.web.served import cheap, status

ACCESS = (
    Access(name="me", hash=cheap("correct horse")),
    Access(name="wall", hash=cheap("battery staple"), role="viewer"),
)
LOCKED = Web(listen="127.0.0.1:0", access=ACCESS)
CHANGE = {"revision": "x"}
GET = [
    *("/api/overview", "/api/cameras/yard", "/api/cameras/yard/motion", "/api/cameras/yard/settings", "/api/events"),
    *("/api/segments?start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z", "/parts/events", "/parts/form", "/health"),
    *("/api/events/yard/2026-11-27T12-00-00.000Z/clip", "/metrics", "/api/openapi.json"),
]


@pytest.fixture
def locked(serve):
    return serve(web=LOCKED)


def entered(page, password):
    answer = page.request("POST", "/api/session", {"password": password})
    assert answer.status == 200, answer.body
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0]}


def test_every_answer_has_headers_that_hold_a_browser(page):
    for path in ("/", "/page/app.js", "/api/overview", "/nothing", "/api/events?limit=x"):
        headers = page.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY" and headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in headers
    assert page.get("/api/overview").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:1", "[::1]:8080", "192.168.1.5", "nas", "cam.local", "my.example"]
)
def test_own_names_are_answered(serve, host):
    page = serve(web=Web(listen="127.0.0.1:0", names=("my.example",)))
    assert page.get("/api/overview", host=host).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "x@127.0.0.1", "", "a b", "é"]
)
def test_names_that_others_let_point_here_are_not(page, host):
    with socket.create_connection((page.host, page.port), 20) as plain:
        plain.sendall(b"GET /api/overview HTTP/1.1\r\nHost: " + host.encode() + b"\r\nConnection: close\r\n\r\n")
        answer = plain.makefile("rb").read()
    assert answer.startswith((b"HTTP/1.1 421", b"HTTP/1.1 400")), answer[:100]


def test_nothing_is_changed_for_another_page(page):
    for headers in (
        {"X-Bgsub": None},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": f"https://{page.host}:{page.port + 1}"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = page.request("PUT", "/api/cameras/yard/settings", CHANGE, headers)
        assert answer.status == 403, headers
    own = {"Origin": f"http://{page.host}:{page.port}", "Sec-Fetch-Site": "same-origin"}
    assert page.request("PUT", "/api/cameras/yard/settings", CHANGE, own).status == 409  # its revision is another


def test_nothing_is_read_by_another_page_but_a_link_to_ours_opens_it(page):
    for site in ("cross-site", "same-site"):
        for path in ("/api/overview", "/api/openapi.json", "/page/app.js", "/"):
            assert page.get(path, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}).status == 403
        assert page.get("/", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}).status == 200
    own = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    assert page.get("/api/overview", headers=own).status == 200


def test_without_a_password_nothing_is_told_but_the_page(locked):
    locked.event()
    for path in GET:
        answer = locked.get(path)
        assert (answer.status, answer.body) == (401, {"error": "this needs a password: log in, or send a token"}), path
    assert locked.request("PUT", "/api/cameras/yard/settings", CHANGE).status == 401
    assert locked.get("/").status == locked.get("/page/app.js").status == 200
    told = locked.get("/api/session").body
    assert (told["role"], told["needs_password"]) == (None, True)


def test_a_session_is_a_cookie_that_scripts_and_other_pages_do_not_have(locked):
    answer = locked.request("POST", "/api/session", {"password": "correct horse"})
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age=604800"))
    me = entered(locked, "correct horse")
    locked.event()
    assert [locked.get(path, headers=me).status for path in GET].count(401) == 0
    assert locked.get("/api/session", headers=me).body["role"] == "owner"
    assert locked.request("DELETE", "/api/session", headers=me).status == 204
    assert locked.get("/api/overview", headers=me).status == 401


def test_a_session_ends(locked):
    me = entered(locked, "correct horse")
    locked.clock.ahead += UNUSED + 1
    assert locked.get("/api/overview", headers=me).status == 401


def test_a_viewer_sees_all_and_changes_nothing(locked):
    locked.note(status())
    wall = entered(locked, "battery staple")
    assert locked.get("/api/overview", headers=wall).status == 200
    answer = locked.request("PUT", "/api/cameras/yard/settings", CHANGE, wall)
    assert (answer.status, answer.body["error"]) == (403, "wall may look, and change nothing")
    token = {"Authorization": "Bearer battery staple"}
    assert locked.request("PUT", "/api/cameras/yard/settings", CHANGE, token).status == 403


def test_tokens_are_for_programs_and_need_no_header(locked):
    token = {"Authorization": "Bearer correct horse"}
    assert locked.get("/api/overview", headers=token).status == 200
    assert locked.request("PUT", "/api/cameras/yard/settings", CHANGE, token | {"X-Bgsub": None}).status == 409
    for wrong in ("Bearer wrong token", "Bearer ", "Basic Y29ycmVjdA==", "Bearer \x7f"):
        assert locked.get("/api/overview", headers={"Authorization": wrong}).status == 401


def test_who_guesses_has_to_wait(locked):
    answers = [locked.request("POST", "/api/session", {"password": f"wrong {n}"}) for n in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 15
    assert locked.get("/api/overview", headers={"Authorization": "Bearer correct horse"}).status == 429


@pytest.mark.parametrize(
    ("body", "headers", "code", "told"),
    [
        (b"{" * 300_000, {}, 413, "the body is larger than 256 KiB"),
        (b"[" * 200_000, {}, 400, "the body does not do"),
        (b"password=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "the body must be JSON"),
        (b"{}", {}, 400, "required field `password`"),
        (b'{"password": "' + b"x" * 2000 + b'"}', {}, 400, "length <= 1024"),
        (b'{"password": 3}', {}, 400, "Expected `str`"),
        (b"\xff\xfe", {}, 400, "the body does not do"),
    ],
)
def test_bodies_that_do_not_do(locked, body, headers, code, told):
    answer = locked.request("POST", "/api/session", body, {"Content-Type": "application/json"} | headers)
    assert answer.status == code
    assert told in answer.body["error"]


def test_a_hundred_idle_connections_keep_nobody_out(page):
    idle = [socket.create_connection((page.host, page.port), 20) for _ in range(100)]
    try:
        for one in idle[:50]:
            one.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        assert page.get("/api/overview").status == 200
    finally:
        for one in idle:
            one.close()


def test_who_never_ends_a_request_is_let_go(page, monkeypatch):
    monkeypatch.setattr("bgsub.live.web.page_server._SLOW", 0.2)
    for words in (b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"):
        with socket.create_connection((page.host, page.port), 30) as slow:
            slow.sendall(words)
            assert slow.recv(100) == b""


def test_a_port_that_is_taken_is_told_in_a_line(page):
    web = Web(listen=f"{page.host}:{page.port}")
    with pytest.raises(OutputError, match=r"^cannot show the page on 127.0.0.1:\d+: .* in use; choose another port"):
        page.call(PageServer(web, page.station).start())


def certificate(folder):
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=localhost"],
        capture_output=True,
        check=True,
    )  # fmt: skip


@pytest.mark.needs_system
def test_tls_by_certificate_files_has_cookies_of_its_own(serve, tmp_path):
    certificate(tmp_path)
    files = {"certificate": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
    page = serve(web=Web(listen="127.0.0.1:0", access=ACCESS, **files))
    assert page.address.startswith("https://")
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection(page.host, page.port, context=context, timeout=30)
    about = {"Content-Type": "application/json", "X-Bgsub": "1"}
    connection.request("POST", "/api/session", b'{"password": "correct horse"}', about)
    answer = connection.getresponse()
    assert answer.status == 200
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-bgsub=") and "Secure" in cookie


def test_a_certificate_that_cannot_be_read_is_told(page, tmp_path):
    (tmp_path / "cert.pem").write_text("no")
    web = Web(listen="127.0.0.1:0", certificate=str(tmp_path / "cert.pem"), key=str(tmp_path / "key.pem"))
    with pytest.raises(OutputError, match=r"^cannot read the certificate .*cert.pem and its key .*; give both in PEM$"):
        page.call(PageServer(web, page.station).start())
