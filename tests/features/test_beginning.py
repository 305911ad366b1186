"""What a model has learned when the first frame comes."""

import numpy as np
import pytest

from bgsub.background.mog2.model import MOG2
from bgsub.errors import SourceError
from bgsub.features import beginning
from bgsub.features.beginning import LearnedBackwards
from bgsub.video.frame import Frame, VideoInfo
from bgsub.video.source import Source


class Listed(Source):
    """Frames from a list, then an error where one is given."""

    def __init__(self, count, shape=(4, 6), error=None):
        self.info = VideoInfo("listed", shape[1], shape[0], None, count, "none", None)
        self.repeatable, self.damaged = True, 3
        self.images = [np.full(shape, index, np.uint8) for index in range(count)]
        self.error = error

    def __iter__(self):
        for index, image in enumerate(self.images):
            self.dropped = index
            yield Frame(index, index / 25, image)
        if self.error:
            raise self.error

    def close(self):
        raise AssertionError("who opened it closes it")


class Remembering:
    """A model that notes what it is given."""

    def __init__(self):
        self.seen, self.times = [], []

    def apply(self, image, *, learning_rate=None, time=None):
        self.times.append(time)
        self.seen.append(int(image[0, 0]))
        return np.zeros(image.shape[:2], np.uint8)


def order(source):
    """The numbers of the frames in the order in which a model and its user get them."""
    model = Remembering()
    given = []
    with LearnedBackwards(source, model) as learned:
        for frame in learned:
            model.apply(frame.image)
            given.append(frame.index)
    return model.seen, given


@pytest.mark.parametrize("count", [0, 1, 2, 49, 50, 51, 120])
def test_the_first_frames_are_learned_backwards_and_all_are_given(count):
    seen, given = order(Listed(count))
    assert given == list(range(count))
    assert seen == [*range(min(count, 50) - 1, 0, -1), *range(count)]


def test_the_clock_rises_to_the_first_frame():
    model = Remembering()
    source = Listed(4)
    assert [frame.time for frame in LearnedBackwards(source, model)] == [0, 0.04, 0.08, 0.12]
    assert model.times == pytest.approx([-0.12, -0.08, -0.04])


def test_a_clock_that_stands_still_is_not_told():
    class Still(Listed):
        def __iter__(self):
            for frame in super().__iter__():
                yield Frame(frame.index, 2.5, frame.image)

    model = Remembering()
    assert len(list(LearnedBackwards(Still(4), model))) == 4
    assert model.times == [None] * 3


def test_large_pictures_are_held_in_bounded_memory(monkeypatch):
    monkeypatch.setattr(beginning, "_BYTES", 4 * 6 * 5 - 1)
    seen, given = order(Listed(12))
    assert given == list(range(12))
    assert seen == [4, 3, 2, 1, *range(12)]


def test_what_was_read_before_a_source_broke_is_given():
    given = []
    with pytest.raises(SourceError, match="broke"):
        for frame in LearnedBackwards(Listed(7, error=SourceError("broke")), Remembering()):
            given.append(frame.index)
    assert given == list(range(7))


def test_it_tells_what_its_source_tells():
    source = Listed(60)
    learned = LearnedBackwards(source, Remembering())
    assert (learned.info, learned.repeatable) == (source.info, True)
    assert len(list(learned)) == 60
    assert (learned.damaged, learned.dropped) == (3, 59)


def test_an_object_of_the_first_frame_is_seen():
    """It has left after three frames; a model that knows nothing sees nothing in the first frame."""
    rng = np.random.default_rng(0)
    source = Listed(60, (40, 40))
    ground = rng.integers(90, 110, (40, 40))
    source.images = [(ground + rng.integers(-2, 3, (40, 40))).astype(np.uint8) for _ in range(60)]
    for index in range(3):
        source.images[index][10:20, 10:20] = 240
    model = MOG2()
    masks = [model.apply(frame.image) for frame in LearnedBackwards(source, model)]
    square = np.zeros((40, 40), bool)
    square[10:20, 10:20] = True
    assert (masks[0] == 255)[square].all() and not (masks[0] == 255)[~square].any()
    assert not (MOG2().apply(source.images[0]) == 255).any()
