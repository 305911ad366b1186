"""What the page may be asked for: nobody from outside without a password, and files from the configuration's folder."""

import pytest

from bgsub.errors import ParameterError
from bgsub.live.configuration.passwords import hashed
from bgsub.live.configuration.reading import read_configuration
from bgsub.live.settings import Access, Web

CAMERA = '[[cameras]]\nname = "yard"\nsource = "rtsp://yard/main"\n'
HASH = hashed("correct horse")


@pytest.fixture
def read(tmp_path):
    def call(web):
        path = tmp_path / "cameras.toml"
        path.write_text(CAMERA + web)
        return read_configuration(path).watch.web

    return call


def test_there_is_no_page_unless_it_is_asked_for(read):
    assert read("") is None
    assert read("[web]") == Web(listen="127.0.0.1:8080")


def test_a_whole_one(read, tmp_path, monkeypatch):
    monkeypatch.setenv("DOOR", HASH)
    text = '[web]\nlisten = "0.0.0.0:443"\nnames = ["cameras.example.com"]\ncertificate = "a.pem"\nkey = "/k.pem"\n'
    who = '[[web.access]]\nname = "me"\nhash = "env:DOOR"\n[[web.access]]\nname = "wall"\nrole = "viewer"\nhash = "'
    assert read(text + who + HASH + '"') == Web(
        listen="0.0.0.0:443",
        names=("cameras.example.com",),
        certificate=str(tmp_path / "a.pem"),
        key="/k.pem",
        access=(Access(name="me", hash=HASH), Access(name="wall", hash=HASH, role="viewer")),
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "[::1]", "localhost", ""])
def test_this_machine_needs_no_password(read, host):
    assert read(f'[web]\nlisten = "{host}:0"').access == ()


@pytest.mark.parametrize(
    ("web", "told"),
    [
        *[(f'[web]\nlisten = "{host}:80"', f"web: listen: others reach {host}:80: name who may in [[web.access]]")
          for host in ("0.0.0.0", "192.168.1.2", "[::]", "example.com")],
        ('[web]\nlisten = "80"', "web: listen: '80' is no address"),
        ('[web]\ncertificate = "a"', "web: certificate and key belong together: give both, or neither"),
        ('[[web.access]]\nname = "me"\nhash = "secret"', 'web: access "me": hash is none: give what bgsub watch'),
        (f'[[web.access]]\nname = "me"\nhash = "{HASH}"\n' * 2, "web: two of access are called me"),
        ('[web]\npassword = "x"', "web: there is no key 'password' here"),
        ('[[web.access]]\nname = "me"', 'web, access "me": there is no hash: give it'),
        (f'[[web.access]]\nname = "me"\nhash = "{HASH}"\nrole = "root"', 'web, access "me", role: there is no'),
    ],
)  # fmt: skip
def test_a_wrong_one_is_told(read, web, told):
    with pytest.raises(ParameterError) as caught:
        read(web)
    assert str(caught.value).startswith(f"cameras.toml: {told}")
