"""What is taken from inside Numba: in one file, and a clear word where a version does not have it."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
import pytest

from bgsub import simd
from bgsub.simd import internals

PUBLIC = {"numba", "numba.extending"}


@pytest.mark.parametrize("missing", ["numba.core.imputils", "numba.np.arrayobj", "llvmlite.ir"])
def test_a_numba_that_is_made_otherwise_is_named_with_the_remedy(missing):
    program = f"import sys, numba; sys.modules[{missing!r}] = None; import bgsub.simd"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(
        f"bgsub.simd.internals.NumbaVersionError: bgsub cannot compile with Numba {numba.__version__} ("
    )
    assert last.endswith("): pip install 'numba>=0.61,<0.70'")


def test_only_one_file_reaches_inside_numba():
    """In the public interface are `numba` itself and `numba.extending`."""
    reaching = set()
    for file in Path(simd.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if any(name.partition(".")[0] in ("numba", "llvmlite") and name not in PUBLIC for name in names):
                reaching.add(file.name)
    assert reaching == {"internals.py"}


def test_the_project_asks_for_the_versions_that_are_supported():
    root = Path(__file__).parents[2]
    dependencies = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert f"numba{internals.SUPPORTED}" in dependencies


class Pair(NamedTuple):
    first: np.ndarray
    second: float


PLANE = np.zeros((4, 6), np.float32)
FROZEN = np.zeros(3, np.uint8)
FROZEN.flags.writeable = False


@pytest.mark.parametrize(
    "value",
    [
        PLANE,
        PLANE.T,
        PLANE[:, ::2],
        FROZEN,
        np.zeros((2, 2, 2), bool),
        np.zeros(2, np.dtype([("a", np.int32)])),
        np.zeros(2, "datetime64[s]"),
        np.zeros(2, object),
        np.float32(1),
        1,
        2.5,
        True,
        None,
        (),
        ((), ()),
        (PLANE, PLANE),
        (PLANE, FROZEN, 1),
        Pair(PLANE, 0.5),
        (Pair(FROZEN, 1.0), (PLANE[::2], 3)),
    ],
)
def test_types_are_those_of_numba(value):
    assert internals.type_of(value) == numba.typeof(value)


@pytest.mark.parametrize("value", [np.ma.zeros(2), np.zeros(2, "g"), np.zeros(2, "V2"), (1, np.ma.zeros(2)), object()])
def test_what_numba_refuses_it_refuses_with_the_same_words(value):
    with pytest.raises(Exception, match=r"Unsupported|Cannot determine") as wanted:
        numba.typeof(value)
    with pytest.raises(type(wanted.value)) as told:
        internals.type_of(value)
    assert str(told.value) == str(wanted.value)


PROGRAM = """
import sys
import numpy as np
from bgsub import MOG2, BackgroundSubtractor
image = np.full((40, 40), 100, np.uint8)
for model in (MOG2(), BackgroundSubtractor()):
    for _ in range(3):
        model.apply(image)
from numba.core.runtime import rtsys
print(rtsys._init, "numpy.ma" in sys.modules)
"""


def test_what_was_compiled_earlier_needs_no_runtime_and_no_masked_arrays():
    """Both take a start some hundredths of a second; the first process may have to compile, which needs the runtime."""
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False", "False"]


def test_code_that_counts_references_starts_the_runtime():
    of = internals._uses_runtime
    assert of((("name", "object", (b"\x7fELF..NRT_MemInfo_call_dtor\0", b"BC")), None, 1))
    assert not of((("name", "object", (b"\x7fELF..numba_adapt_ndarray\0", b"BC")), None, 1))
