"""Model files: a model goes on bit for bit, and what is no model is refused in one line."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from bgsub import MOG2
from bgsub.background.layout import alive
from bgsub.errors import ModelFileError, OutputError, ParameterError
from bgsub.files import read_container, write_container
from tests.background.twins import stored
from tests.test_naive import switching_scene

FRAMES = switching_scene(30, shape=(13, 21), seed=51)
MODELS = {
    "exact": {},
    "compact": {"precision": "compact"},
    "parameters": {"history": 20, "n_components": 3, "var_threshold": 20.5, "detect_shadows": False},
    "polygons": {"region": [[(2, 1), (18.5, 3), (12, 11)], [(0, 8), (4, 8), (4, 12)]]},
    "polygons of arrays": {"region": [np.array([(2, 1), (18.5, 3), (12, 11)], np.float32)]},
    "region": {"region": np.random.default_rng(0).random((13, 21)) < 0.5},
    "region of uint8": {"region": np.random.default_rng(0).integers(0, 3, (13, 21), np.uint8)},
}


def trained(frames=FRAMES[:15], **parameters):
    model = MOG2(**parameters)
    for frame in frames:
        model.apply(frame)
    return model


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("parameters", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_run_in_two_parts_is_the_run_in_one(parameters, channels, tmp_path):
    frames = FRAMES if channels == 3 else FRAMES[..., 0]
    model = trained(frames[:15], **parameters)
    model.save(tmp_path / "wall.model")
    loaded = MOG2.load(tmp_path / "wall.model")
    assert (loaded.parameters, loaded.precision) == (model.parameters, model.precision)
    assert (loaded.shape, loaded.n_frames) == (model.shape, 15)
    np.testing.assert_array_equal(loaded.background_image(), model.background_image())
    for frame in frames[15:]:
        np.testing.assert_array_equal(loaded.apply(frame), model.apply(frame))
    assert stored(loaded) == stored(model)
    assert names_in(tmp_path) == ["wall.model"]


def test_an_unused_model_keeps_its_parameters(tmp_path):
    model = MOG2(history=77, region=[[(0, 0), (9, 0), (9, 9)]])
    model.save(str(tmp_path / "new.model"))
    loaded = MOG2.load(str(tmp_path / "new.model"))
    assert (loaded.shape, loaded.n_frames, loaded.parameters["history"]) == (None, 0, 77)
    for frame in FRAMES:
        np.testing.assert_array_equal(loaded.apply(frame), model.apply(frame))


def test_saving_again_and_from_the_loaded_gives_the_same_file(tmp_path):
    model = trained()
    model.save(tmp_path / "a")
    model.save(tmp_path / "b")
    MOG2.load(tmp_path / "a").save(tmp_path / "c")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()


def test_threads_belong_to_the_machine_and_are_not_saved(tmp_path):
    trained(threads=2).save(tmp_path / "model")
    assert MOG2.load(tmp_path / "model").threads is None
    assert MOG2.load(tmp_path / "model", threads=3).threads == 3


def test_a_wrong_number_of_threads_is_not_the_fault_of_the_file(tmp_path):
    trained().save(tmp_path / "model")
    with pytest.raises(ParameterError, match="threads is 0: give a whole number from 1 to 256, or None"):
        MOG2.load(tmp_path / "model", threads=0)


# ----------------------------------------------------------------------------------------------------- damaged files


def refused(path, message):
    with pytest.raises(ModelFileError, match=message) as refusal:
        MOG2.load(path)
    assert "\n" not in str(refusal.value)
    assert str(path) in str(refusal.value)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "wall.model"
    trained(switching_scene(3, shape=(4, 9), seed=1), n_components=2).save(path)
    return path


def test_a_truncated_file_is_refused(file):
    whole = file.read_bytes()
    for size in [*range(0, 60, 7), *range(60, len(whole), 61), len(whole) - 1]:
        file.write_bytes(whole[:size])
        refused(file, "it is damaged|it is no model file of bgsub")
    file.write_bytes(whole + b"\0")
    refused(file, "it is damaged .it has .* bytes where its header promises")


def test_any_flipped_byte_is_noticed(file):
    whole = file.read_bytes()
    for place in range(0, len(whole), 97):
        altered = bytearray(whole)
        altered[place] ^= 0x41
        file.write_bytes(altered)
        refused(file, "damaged|no model file of bgsub|of kind|written by")


@pytest.mark.parametrize(
    ("kind", "version", "message"),
    [
        ("mog2", 3, r"it was written by a newer bgsub \(format 3, this one reads 2\): upgrade bgsub"),
        ("mog2", 0, r"it was written by an older bgsub \(format 0, this one reads 2\): train the model again"),
        ("mixture", 1, "it holds a model of kind 'mixture', not 'mog2'; give one of that kind"),
    ],
)
def test_another_version_or_kind_is_refused(file, kind, version, message):
    content = read_container(file, "mog2", 2)
    write_container(file, kind, version, *content)
    refused(file, message)


def test_what_is_no_model_file_is_refused(tmp_path):
    refused(tmp_path / "missing.model", "no such file; check the path")
    refused(tmp_path, "not a file; check the path")
    (tmp_path / "notes.txt").write_text("a shopping list\n")
    refused(tmp_path / "notes.txt", "it is no model file of bgsub; give one that bgsub has written")
    (tmp_path / "empty").write_bytes(b"")
    refused(tmp_path / "empty", "it is no model file of bgsub")


# --------------------------------------------------------------------------------- sound files with absurd content


def meta_with(**changes):
    def change(meta, arrays):
        meta.update(changes)

    return change


def parameters_with(**changes):
    def change(meta, arrays):
        meta["parameters"].update(changes)

    return change


def array_with(name, convert):
    def change(meta, arrays):
        arrays[name] = convert(arrays[name])

    return change


def without(name):
    def change(meta, arrays):
        (meta if name in meta else arrays).pop(name)

    return change


ABSURD = {
    "200 Gaussians in a pixel": array_with("n_modes", lambda a: np.full_like(a, 200)),
    "no Gaussian in any pixel": array_with("n_modes", np.zeros_like),
    "one row too few": array_with("n_modes", lambda a: a[:-1]),
    "no pixels": array_with("n_modes", lambda a: a[:0]),
    "weights of another shape": array_with("weights", lambda a: a[:, :1]),
    "weights of another dtype": array_with("weights", lambda a: a.astype(np.float64)),
    "weights of a compact state": array_with("weights", lambda a: a.astype(np.uint16)),
    "flat modes": array_with("modes", np.ravel),
    "modes of grey frames": array_with("modes", lambda a: a[:, :2]),
    "no weights": without("weights"),
    "no modes": without("modes"),
    "no n_modes": without("n_modes"),
    "no parameters": without("parameters"),
    "no precision": without("precision"),
    "no shape": without("shape"),
    "no n_frames": without("n_frames"),
    "no polygons": without("polygons"),
    "NaN in parameters": parameters_with(var_threshold=float("nan")),
    "infinity in parameters": parameters_with(history=float("inf")),
    "a parameter out of bounds": parameters_with(n_components=33),
    "another n_components": parameters_with(n_components=5),
    "an unknown parameter": parameters_with(sharpness=1),
    "a parameter named as another argument": parameters_with(threads=2),
    "a parameter named self": parameters_with(self=2),
    "a list of parameters": meta_with(parameters=["history", 500]),
    "parameters that are a number": meta_with(parameters=3),
    "an unknown precision": meta_with(precision="double"),
    "a precision that is a list": meta_with(precision=["exact"]),
    "another precision": meta_with(precision="compact"),
    "another shape": meta_with(shape=[9, 9, 3]),
    "a shape of one number": meta_with(shape=[36]),
    "a shape of no number": meta_with(shape=[]),
    "a shape of four numbers": meta_with(shape=[4, 9, 3, 1]),
    "four channels": meta_with(shape=[4, 9, 4]),
    "a negative shape": meta_with(shape=[-4, -9, 3]),
    "an empty frame": meta_with(shape=[0, 9, 3]),
    "a shape of fractions": meta_with(shape=[4.0, 9.0, 3]),
    "a shape of words": meta_with(shape="49"),
    "a shape that is a number": meta_with(shape=36),
    "a shape of truths": meta_with(shape=[True, 36, 3]),
    "a huge shape": meta_with(shape=[2**20, 2**20, 3]),
    "a shape beyond counting": meta_with(shape=[2**62, 2**62, 3]),
    "negative n_frames": meta_with(n_frames=-1),
    "infinitely many frames": meta_with(n_frames=float("inf")),
    "n_frames that are no number": meta_with(n_frames="many"),
    "n_frames beyond counting": meta_with(n_frames=10**400),
    "a polygon of two corners": meta_with(polygons=[[[1, 1], [5, 5]]]),
    "polygons that are a number": meta_with(polygons=7),
    "polygons outside": meta_with(polygons=[[[100, 100], [105, 100], [105, 105]]]),
    "a region of another size": lambda meta, arrays: arrays.update(region=np.ones((9, 4), np.uint8)),
    "an empty region": lambda meta, arrays: arrays.update(region=np.zeros((4, 9), np.uint8)),
}


@pytest.mark.parametrize("change", ABSURD.values(), ids=ABSURD)
def test_absurd_content_is_refused(file, change):
    meta, arrays = read_container(file, "mog2", 2)
    change(meta, arrays)
    write_container(file, "mog2", 2, meta, arrays)
    refused(file, "it describes no MOG2 model .*; save it again")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded as Linux does it")
def test_a_huge_shape_takes_no_memory(file):
    """As much as a program and its libraries take, and no more: a frame of this shape would take 5 TB."""
    meta, arrays = read_container(file, "mog2", 2)
    meta["shape"] = [2**17, 2**17, 3]
    write_container(file, "mog2", 2, meta, arrays)
    program = (
        f"from bgsub import MOG2, ModelFileError\n"
        f"try: MOG2.load({str(file)!r})\n"
        f"except ModelFileError: print('refused')\n"
    )

    def bound():
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))

    done = subprocess.run(
        [sys.executable, "-c", program], preexec_fn=bound, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "refused\n", done.stderr


def test_values_that_no_frame_could_have_left_do_no_harm(file):
    """The kernels trust counts and shapes, not values: with any bits in them they stay within their arrays."""
    meta, arrays = read_container(file, "mog2", 2)
    rng = np.random.default_rng(0)
    for name in ("weights", "modes"):
        arrays[name] = rng.integers(0, 256, arrays[name].nbytes, np.uint8).view(np.float32).reshape(arrays[name].shape)
    arrays["n_modes"] = alive(arrays["weights"])
    write_container(file, "mog2", 2, meta, arrays)
    model = MOG2.load(file)
    for frame in switching_scene(5, shape=(4, 9)):
        assert set(np.unique(model.apply(frame))) <= {0, 127, 255}
        assert (model.engine.state.n_modes <= 2).all()


# ------------------------------------------------------------------------------------------------ where saving fails


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(OutputError, match=r"cannot write .*wall.model: No such file or directory; choose a folder"):
        trained().save(tmp_path / "missing" / "wall.model")
    assert names_in(tmp_path) == []


def test_a_target_that_is_a_folder(tmp_path):
    (tmp_path / "wall.model").mkdir()
    with pytest.raises(OutputError, match="it is no regular file; choose another name"):
        trained().save(tmp_path / "wall.model")
    assert names_in(tmp_path) == ["wall.model"]


def test_a_failure_half_way_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "wall.model"
    trained().save(path)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device; make room or choose another folder"):
        trained(FRAMES).save(path)
    assert path.read_bytes() == before
    assert names_in(tmp_path) == ["wall.model"]
