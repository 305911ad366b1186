"""The registry of methods: what it says of a model is true of the model, and it says it without heavy libraries."""

import subprocess
import sys

import numpy as np
import pytest

from bgsub.background.methods import DEFAULT_METHOD, METHODS, method_of, method_of_kind
from bgsub.errors import ParameterError
from bgsub.files import kind_of


@pytest.fixture(params=METHODS)
def method(request):
    return METHODS[request.param]


def test_names():
    assert list(METHODS) == ["adaptive", "mog2"]
    assert DEFAULT_METHOD == "adaptive"
    assert all(method_of(name).name == name for name in METHODS)
    with pytest.raises(ParameterError, match=r"^there is no method 'vibe': choose adaptive, mog2$"):
        method_of("vibe")


def test_the_table_is_the_model_s(method):
    model = method.create()
    assert type(model) is method.model_class()
    assert model.parameters == {name: p.default for name, p in method.parameters.items()}


def test_a_saved_model_tells_its_method(method, tmp_path):
    method.create().save(tmp_path / "m.bgsub")
    assert kind_of(tmp_path / "m.bgsub") == method.kind
    assert method_of_kind(method.kind) is method
    assert method_of_kind("rows") is method_of_kind(None) is None


def test_settings_are_taken_by_the_constructor_and_the_first_is_the_default(method):
    image = np.zeros((8, 8, 3), np.uint8)
    for name, choices in method.settings.items():
        for choice in choices:
            assert getattr(method.create(**{name: choice}), name) == choice
        assert getattr(method.create(), name) == choices[0]
    assert method.create(region=[[(0, 0), (4, 0), (4, 4)]], threads=2).apply(image).shape == (8, 8)


def test_what_is_fixed_cannot_be_changed_in_a_model_that_has_learned(method):
    model = method.create()
    model.apply(np.zeros((8, 8, 3), np.uint8))
    for name in method.fixed:
        if name in method.parameters:
            with pytest.raises(ParameterError, match=f"{name} is fixed"):
                model.set_parameters(**{name: 2})
        else:
            assert name in ("region", "value_range") or name in method.settings


BAD = [
    ("adaptive", {"threshold": 0}, "threshold is 0: give a number above 0, up to 50"),
    ("adaptive", {"var_threshold": 16}, "unknown parameter 'var_threshold'"),
    ("adaptive", {"precision": "exact"}, "unknown parameter 'precision'"),
    ("adaptive", {"var_max": 3}, "var_min_y is 20, var_max 3"),
    ("mog2", {"var_min": 80}, "var_min is 80, above var_max 75"),
    ("mog2", {"precision": "half"}, "precision is 'half': give 'exact' or 'compact'"),
    ("mog2", {"precision": "compact", "var_max": 300}, "var_max is 300: with precision='compact' give at most 255"),
    ("mog2", {"history": "soon"}, "history is 'soon'"),
]


@pytest.mark.parametrize(("name", "values", "message"), BAD, ids=lambda value: str(value)[:30])
def test_values_are_refused_as_the_constructor_refuses_them(name, values, message):
    for refuse in METHODS[name].check, lambda values: METHODS[name].create(**values):
        with pytest.raises(ParameterError, match=f"^{message}") as caught:
            refuse(values)
        assert "\n" not in str(caught.value)
    METHODS[name].check({})


def test_to_look_a_method_up_takes_no_heavy_library():
    code = (
        "import sys; from bgsub.background.methods import METHODS; METHODS['adaptive'].check({'threshold': 2})\n"
        "print([name for name in ('numba', 'cv2', 'av', 'sklearn', 'numpy') if name in sys.modules])"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert outcome.stdout == "[]\n"
