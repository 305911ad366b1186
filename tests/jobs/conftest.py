"""An empty folder to work in, a clip for jobs, and a source that ends as a test wants."""

from pathlib import Path

import pytest

from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.source import Source
from tests.cli.clips import masks_of, scene, write_clip


@pytest.fixture(scope="session")
def images():
    images = scene()
    masks_of(images[:2])  # compiled, or loaded, before anything waits for it
    return images


@pytest.fixture(scope="session")
def clip(images, tmp_path_factory) -> str:
    """The images as a lossless video, in a folder of its own."""
    return str(write_clip(tmp_path_factory.mktemp("clip") / "clip.mkv", images))


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch) -> Path:
    """An empty folder, the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Scripted(Source):
    """A live source that delivers images and then raises an error, if it has one."""

    def __init__(self, images, error):
        self.images, self.error = images, error
        height, width = images[0].shape[:2]
        self.info = VideoInfo("yard", width, height, fps=None, frame_count=None, codec="camera", duration=None)

    def __iter__(self):
        for index, image in enumerate(self.images):
            yield Frame(index, index / 10, image)
        if self.error is not None:
            raise self.error

    def close(self):
        pass


@pytest.fixture
def yard(images, monkeypatch):
    """Replace every source by one of some images that ends with an error."""

    def replace(error=None):
        monkeypatch.setattr("bgsub.video.opening.open_source", lambda *args, **keywords: Scripted(images, error))

    return replace
