"""Every kernel is compiled anew after an edit of any file whose constants or functions it holds."""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import pytest

import bgsub
import bgsub.background
import bgsub.mixture
from bgsub.simd.sources import fingerprint_of, sources_of

pytestmark = pytest.mark.slow


def compiled_functions() -> Iterator:
    """Yield all that Numba compiles of both models, once."""
    for package in (bgsub.background, bgsub.mixture):
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            module = importlib.import_module(found.name)
            for value in vars(module).values():
                if hasattr(value, "py_func") and value.py_func.__module__ == module.__name__:
                    yield value


KERNELS = [one for one in compiled_functions() if not one.targetoptions.get("forceinline")]


def files_used_by(function: FunctionType, seen: set[FunctionType]) -> Iterator[tuple[str, Path]]:
    """Yield what of bgsub a function and those that it calls use, and the file that defines it."""
    seen.add(function)
    yield function.__name__, Path(sys.modules[function.__module__].__file__)
    for name, module in names_used_by(function):
        value = getattr(module, name)
        value = getattr(value, "py_func", value)
        if isinstance(value, FunctionType):
            if value.__module__.startswith("bgsub.") and value not in seen:
                yield from files_used_by(value, seen)
        else:
            yield from homes_of(name, module)


def names_used_by(function: FunctionType) -> Iterator[tuple[str, ModuleType]]:
    """Yield the globals of a function, and the attributes of modules among them."""
    module, names = sys.modules[function.__module__], set(all_names(function.__code__))
    for name in names & vars(module).keys():
        value = vars(module)[name]
        if isinstance(value, ModuleType):
            yield from ((attribute, value) for attribute in names & vars(value).keys())
        else:
            yield name, module


def all_names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from all_names(constant)


def homes_of(name: str, module: ModuleType) -> Iterator[tuple[str, Path]]:
    """Yield a global of a module with bgsub's file that gives it its value, and the globals that this is made of."""
    if not module.__name__.startswith("bgsub."):
        return
    for statement in ast.parse(Path(module.__file__).read_text()).body:
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if name == (alias.asname or alias.name):
                    yield from homes_of(alias.name, importlib.import_module(statement.module))
        elif isinstance(statement, ast.Assign) and name in names_in(statement.targets):
            yield name, Path(module.__file__)
            for part in names_in([statement.value]) - {name}:
                yield from homes_of(part, module)


def names_in(expressions: list[ast.expr]) -> set[str]:
    return {node.id for one in expressions for node in ast.walk(one) if isinstance(node, ast.Name)}


def test_there_are_kernels_that_use_what_other_files_define():
    """So the test below shows something: constants, and functions, of files that are not simd's."""
    elsewhere = {
        (kernel.__name__, name)
        for kernel in KERNELS
        for name, file in files_used_by(kernel.py_func, set())
        if file.parent.name != "simd" and file != Path(sys.modules[kernel.__module__].__file__)
    }
    assert {("raise_standing", "STEPS"), ("explain_by_neighbours", "MEAN_C"), ("diag", "GROUP")} <= elsewhere
    assert {("full", "add_moments"), ("em_steps", "maximise")} <= elsewhere


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: f"{kernel.__module__}.{kernel.__name__}")
def test_every_file_that_a_kernel_uses_is_in_its_fingerprint(kernel):
    module = kernel.__module__
    missing = {(name, file) for name, file in files_used_by(kernel.py_func, set()) if file not in sources_of(module)}
    assert not missing
    assert kernel.py_func.__qualname__ == f"{kernel.__name__}_{fingerprint_of(module)}"


PROGRAM = """
import numpy as np
from bgsub.background.adaptive import codes, kernels, standing, step
planes = kernels.Planes(*(np.zeros((1, 16), np.uint8) for _ in kernels.Planes._fields))
planes.evidence[...] = 100
planes.owner[...] = codes.SHADOW
constants = step.Standing(standing_gain=np.float32(5), standing_share=np.float32(0))
standing.raise_standing(planes, np.full((1, 1), 255, np.uint8), 1, (1, 16), constants, 0, 1)
print(planes.evidence[0, 0], sum(standing.raise_standing.stats.cache_hits.values()))
"""


def raised(folder: Path) -> str:
    """Return what a process of its own finds: evidence of 100 plus five times as many bytes as make one unit."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_constant_edited_in_another_file_reaches_a_kernel_whose_cache_is_warm(tmp_path):
    package = tmp_path / "bgsub"
    shutil.copytree(Path(bgsub.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    assert raised(tmp_path) == "140 0"
    assert raised(tmp_path) == "140 1"
    constants = package / "background" / "adaptive" / "codes.py"
    source = constants.read_text()
    assert source.count("\nSTEPS = 8 ") == 1
    constants.write_text(source.replace("\nSTEPS = 8 ", "\nSTEPS = 4 "))
    assert raised(tmp_path) == "120 0"
