"""Who would be told of a watch is told a test, from the shell."""

import json
import sys

from tests.live.test_telling import server

CAMERAS = """
[[cameras]]
name = "yard"
source = "0"

[tell]
command = [{python}, "-c", "import sys; sys.exit(sys.argv[1] != 'test')", "{{occasion}}"]
[[tell.webhook]]
url = "{address}/hook?token=hidden"
secret = "env:HOOK"
"""


def config(workplace, text):
    path = workplace / "cameras.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_each_is_told_a_test(bgsub, workplace, monkeypatch):
    monkeypatch.setenv("HOOK", "key")
    with server(204, 500) as (address, got):
        path = config(workplace, CAMERAS.format(python=json.dumps(sys.executable), address=address))
        told = bgsub("watch", "--config", path, "--test-tell")
        assert (told.code, told.out) == (0, "command: told\nwebhook: told\n")
        told = bgsub("watch", "--config", path, "--test-tell")
        assert told.code == 1
        assert told.out == f"command: told\nwebhook: {address}/hook answers 500: look there for why\n"
    assert "X-Bgsub-Signature" in got[0][1]
    assert sorted(found.name for found in workplace.iterdir()) == ["cameras.toml"]


def test_nobody_is_told_where_nobody_is_named(bgsub, workplace):
    told = bgsub("watch", "0", "--test-tell")
    assert (told.code, told.out) == (0, "nobody would be told: name somebody under [tell] in the file of cameras\n")


def test_a_wrong_command_is_told_before_anything_is_watched(bgsub, workplace):
    path = config(workplace, '[[cameras]]\nname = "yard"\nsource = "0"\n[tell]\ncommand = ["say", "{clup}"]\n')
    told = bgsub("watch", "--config", path)
    assert told.code == 2
    assert "tell: command: there is no {clup}; give one of occasion, camera, " in told.error
