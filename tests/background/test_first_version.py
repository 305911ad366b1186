"""Model files of version 1, which held tiles of sixteen pixels: read, and gone on with as if nothing had happened.

The three files in ``first_version`` were written by bgsub 0.1.0 before version 2 came, after 14 frames of `FRAMES`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bgsub import MOG2, BackgroundSubtractor, ModelFileError
from bgsub.files import read_versions, write_container
from tests.test_naive import switching_scene

FOLDER = Path(__file__).parent / "first_version"
FRAMES = switching_scene(24, shape=(5, 9), channels=3, n_colours=4, seed=3)
N_LEARNED = 14

MODELS = {
    "mog2": lambda: MOG2(n_components=3),
    "compact": lambda: MOG2(n_components=3, precision="compact", region=[[(0, 0), (6, 0), (6, 4), (0, 4)]]),
    "adaptive": lambda: BackgroundSubtractor(n_components=3, min_area=2),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_file_of_version_1_goes_on_where_the_model_stood(name):
    model = MODELS[name]()
    for frame in FRAMES[:N_LEARNED]:
        model.apply(frame)
    loaded = type(model).load(FOLDER / f"{name}.bgsub")
    assert (loaded.n_frames, loaded.shape, loaded.parameters) == (model.n_frames, model.shape, model.parameters)
    np.testing.assert_array_equal(loaded.background_image(), model.background_image())
    found = 0
    for t, frame in enumerate(FRAMES[N_LEARNED:]):
        mask = model.apply(frame, learning_rate=0 if t == 3 else None)
        np.testing.assert_array_equal(loaded.apply(frame, learning_rate=0 if t == 3 else None), mask)
        found += np.count_nonzero(mask == 255)
    assert found > 20
    for array, other in zip(loaded.engine.saved().values(), model.engine.saved().values(), strict=True):
        np.testing.assert_array_equal(array, other)


@pytest.mark.parametrize("name", MODELS)
def test_saved_again_it_is_of_version_2_and_holds_planes_of_pixels(name, tmp_path):
    cls = type(MODELS[name]())
    cls.load(FOLDER / f"{name}.bgsub").save(tmp_path / "m.bgsub")
    content = read_versions(tmp_path / "m.bgsub", "adaptive" if name == "adaptive" else "mog2", 2, 2)
    assert content.arrays["weights"].shape == (3, 5, 9)
    assert content.arrays["modes"].shape == (3, 5 if name == "adaptive" else 4, 5, 9)
    assert content.arrays["n_modes"].shape == (5, 9)


WRONG = {
    "200 Gaussians in a tile": ("n_modes", lambda a: np.full_like(a, 200)),
    "no Gaussian in a tile": ("n_modes", np.zeros_like),
    "one tile too few": ("n_modes", lambda a: a[:-1]),
    "weights of pixels": ("weights", lambda a: np.zeros((3, 5, 9), a.dtype)),
    "modes of another dtype": ("modes", lambda a: a.astype(np.float64)),
    "flat modes": ("modes", np.ravel),
    "no weights": ("weights", None),
}


@pytest.mark.parametrize(("array", "change"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("name", MODELS)
def test_damaged_ones_are_refused(name, array, change, tmp_path):
    kind, cls = ("adaptive" if name == "adaptive" else "mog2"), type(MODELS[name]())
    content = read_versions(FOLDER / f"{name}.bgsub", kind, 1, 1)
    value = content.arrays.pop(array)
    if change is not None:
        content.arrays[array] = change(value)
    write_container(tmp_path / "m.bgsub", kind, 1, content.meta, content.arrays)
    with pytest.raises(ModelFileError, match=r"it describes no .* model .*; save it again"):
        cls.load(tmp_path / "m.bgsub")
