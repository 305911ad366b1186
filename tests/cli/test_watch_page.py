"""What the command line says of the page: where it is, who may see it, and the hash of a password."""

import io

import pytest

from bgsub.cli import main
from bgsub.cli.watch_page import PASSWORD, web_settings
from bgsub.live.configuration.passwords import matches, read_hash
from bgsub.live.settings import Access, Camera, Watch, Web

CAMERAS = (Camera(name="yard", source="rtsp://yard/main"),)
HASH = "scrypt$n=16,r=1,p=1$" + "A" * 24 + "$" + "A" * 44


def failed(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["watch", *arguments])
    return ended.value.code, capsys.readouterr().err


def test_a_hash_is_printed_for_the_file_of_cameras(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse\nand more\n"))
    main(["watch", "--hash-password"])
    printed = capsys.readouterr().out.strip()
    assert matches("correct horse", read_hash(printed))


def test_a_short_password_is_refused(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    code, told = failed(capsys, "--hash-password")
    assert code and "the password has 5 characters: give one of 8 to 1024" in told


@pytest.mark.parametrize("address", ["0.0.0.0:8080", "192.168.1.2:80", "[::]:8080"])
def test_the_network_sees_nothing_without_a_password(monkeypatch, capsys, address):
    monkeypatch.delenv(PASSWORD, raising=False)
    code, told = failed(capsys, "rtsp://yard/main", "--web-listen", address, "--check")
    assert code == 1 or code == 2
    assert f"others reach {address}: name who may in [[web.access]]" in told and told.count("\n") == 1


def test_a_password_of_the_environment_is_the_owners(monkeypatch, capsys):
    monkeypatch.setenv(PASSWORD, "correct horse")
    main(["watch", "rtsp://yard/main", "--web-listen", "0.0.0.0:8080", "--check"])
    assert "correct horse" not in "".join(capsys.readouterr())


def asked(watch, web=False, web_listen=None):
    return web_settings(watch, {"web": web, "web_listen": web_listen}).get("web")


def test_what_is_typed_outdoes_the_file(monkeypatch):
    monkeypatch.delenv(PASSWORD, raising=False)
    kept = Web(listen="127.0.0.1:1", access=(Access(name="me", hash=HASH),), names=("a.example",))
    assert asked(Watch(cameras=CAMERAS)) is None
    assert asked(Watch(cameras=CAMERAS), web=True) == Web()
    assert asked(Watch(cameras=CAMERAS), web_listen="127.0.0.1:2") == Web(listen="127.0.0.1:2")
    assert asked(Watch(cameras=CAMERAS, web=kept)) == kept
    assert asked(Watch(cameras=CAMERAS, web=kept), web_listen="127.0.0.1:2").access == kept.access
    monkeypatch.setenv(PASSWORD, "correct horse")
    both = asked(Watch(cameras=CAMERAS, web=kept))
    assert [one.name for one in both.access] == ["me", PASSWORD]
    assert asked(Watch(cameras=CAMERAS, web=kept)) == both  # the same hash again: sessions go on
