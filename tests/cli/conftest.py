"""The program called in this process, in an empty folder, and a clip for it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from bgsub.background.adaptive.model import BackgroundSubtractor
from bgsub.cli import main
from tests.cli.clips import masks_of, scene, write_clip


@dataclass
class Outcome:
    code: int
    out: str
    err: str

    @property
    def error(self):
        """The one line that says what went wrong."""
        assert "Traceback" not in self.err
        lines = [line for line in self.err.splitlines() if line.startswith("Error: ")]
        assert len(lines) == 1, self.err
        return lines[0]


@pytest.fixture(scope="session", autouse=True)
def compiled():
    """Compile what nearly every test needs, before the program would say on stderr that it does."""
    for precision in ("exact", "compact"):
        masks_of(scene(2), precision=precision)
    masks_of(scene(2), model=BackgroundSubtractor())


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch) -> Path:
    """An empty folder, the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def bgsub(capsys):
    """Call the program with arguments as a shell would pass them."""

    def call(*arguments) -> Outcome:
        capsys.readouterr()
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def images():
    return scene()


@pytest.fixture(scope="session")
def clip(images, tmp_path_factory) -> Path:
    """The images as a lossless video, in a folder of its own."""
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mkv", images)
