"""What is taken from inside Numba: in one file, and a clear word where a version does not have it."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import numba
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
