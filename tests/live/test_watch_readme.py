"""What the page on watching says is so: its file of cameras is read, its tests are there, its packaging is whole."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bgsub.cli import cli
from bgsub.live import settings
from bgsub.live.configuration.reading import read_configuration
from bgsub.live.settings import Camera, Watch

ROOT = Path(__file__).parents[2]
LIVE = ROOT / "bgsub" / "live"
PAGE = (LIVE / "README.md").read_text(encoding="utf-8")


def test_its_file_of_cameras_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("YARD", "rtsp://user:password@10.0.0.7/main")
    (tmp_path / "cameras.toml").write_text(re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1], encoding="utf-8")
    watch, warnings = read_configuration(tmp_path / "cameras.toml")
    assert warnings == ()
    assert [camera.name for camera in watch.cameras] == ["yard", "trial"]
    assert watch.cameras[0].before == 10 and watch.retention.max_size == 200 * 10**9


def test_it_names_every_key():
    structs = [s for s in vars(settings).values() if isinstance(s, type) and issubclass(s, msgspec.Struct)]
    tables = "\n".join(line for line in PAGE.splitlines() if line.startswith("|"))
    missing = {
        f"{struct.__name__}.{field.name}"
        for struct in structs
        for field in msgspec.structs.fields(struct)
        if struct is not msgspec.Struct and f"`{field.name}`" not in tables
    }
    assert not missing


def test_it_tells_the_defaults():
    rows = {cell[1]: cell[2] for cell in re.findall(r"(\| `(\w+)` \|.*\| (.*) \|)", PAGE)}
    for field in msgspec.structs.fields(Camera):
        default = field.default
        if isinstance(default, float) and field.name in rows:
            amount = default / 60 if default >= 60 else default
            assert rows[field.name].split()[0] == f"{amount:g}", field.name
    assert Watch(cameras=()).listen in PAGE


def test_the_tests_that_it_names_are_there():
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert len(named) > 20
    assert {name for name in named if f"def {name}(" not in text} == set()
    assert all((ROOT / path).exists() for path in re.findall(r"`(scripts/\w+\.py)`", PAGE))
    assert all((LIVE / path).exists() for path in re.findall(r"`(packaging/[\w.-]+)`", PAGE))


def test_the_container_runs_a_command_that_there_is():
    lines = (LIVE / "packaging" / "Containerfile").read_text(encoding="utf-8").splitlines()
    words = {line.partition(" ")[0]: line.partition(" ")[2] for line in lines if not line.startswith("#")}
    program, name, *arguments = [*json.loads(words["ENTRYPOINT"]), *json.loads(words["CMD"])]
    assert program == "bgsub"
    command = cli.get_command(None, name)
    assert command.make_context(name, arguments).params["config"] == "/config/cameras.toml"
    assert words["USER"] == "bgsub"
    assert json.loads(words["VOLUME"]) == ["/state", "/recordings"]
    compile(json.loads(words["HEALTHCHECK"].partition("CMD ")[2])[2], "healthcheck", "exec")


@pytest.mark.needs_system
def test_systemd_takes_the_unit(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze")
    (tmp_path / "cameras.toml").write_text('[[cameras]]\nname = "yard"\nsource = "0"\n')
    command = [sys.executable, "-m", "bgsub", "watch", "--config", tmp_path / "cameras.toml", "--print-unit"]
    unit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    path = tmp_path / "bgsub-watch.service"
    path.write_text(unit.replace("User=bgsub", "User=root"))
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
