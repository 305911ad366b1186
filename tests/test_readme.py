"""The README is true: its commands run, its Python runs, and continuous integration runs its test command."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from bgsub.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands() -> list[str]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.startswith("bgsub ")]


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    (tmp_path / "sample_videos").symlink_to(ROOT / "sample_videos")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_readme_shows_commands_and_python():
    assert len(commands()) >= 8
    assert len(blocks("python")) >= 2


def test_every_command_runs(workplace):
    for command in commands():
        arguments = shlex.split(command, comments=True)[1:]
        if arguments[0] == "bench":
            arguments = ["bench", "--size", "64x48", "--threads", "1", "--rounds", "2"]
        elif arguments[0] == "run":
            arguments += ["--end", "0.4", "--overwrite"]
        main(arguments)
    for name in ("street.mask.mkv", "seen.mp4", "masks/bin000001.png", "moving.csv", "walkers.webm", "room.bgsub"):
        assert (workplace / name).stat().st_size > 0


def test_the_python_runs(workplace):
    for block in blocks("python"):
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(block, "README.md", "exec"), {})
    assert (workplace / "street.bgsub").exists()


def test_continuous_integration_runs_the_test_command_to_the_letter():
    test_command = next(line for block in blocks("sh") for line in block.splitlines() if "pytest" in line)
    assert test_command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_pictures_and_files_that_the_readme_names_exist():
    for name in re.findall(r"\]\(([\w./-]+)\)", README) + re.findall(
        r"`((?:scripts|bgsub|sample_videos)/[\w./]+)`", README
    ):
        assert (ROOT / name).exists(), name
