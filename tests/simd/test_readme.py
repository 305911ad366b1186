"""The page from which somebody may adopt the vectors: its example prints what it says, its words exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bgsub import simd

pytestmark = pytest.mark.slow

PAGE = (Path(simd.__file__).parent / "README.md").read_text()


@pytest.mark.parametrize("disabled", ["0", "1"], ids=["compiled", "plain"])
def test_the_example_prints_what_the_page_says(tmp_path, disabled):
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "means.py").write_text(program)
    environment = {**os.environ, "NUMBA_DISABLE_JIT": disabled}
    done = subprocess.run(
        [sys.executable, "means.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed


def test_the_words_of_the_page_are_those_of_the_package():
    (table,) = re.findall(r"## The words\n\n(.*?)\n\n", PAGE, re.DOTALL)
    words = {word for row in table.splitlines() for word in re.findall(r"`(\w+)", row.split("|")[1])}
    modules = {"doubles", "blocks", "outer", "calls"}
    assert words - modules == set(simd.__all__) - {"DOUBLES", "LANES", "Vec"}
    assert all((Path(simd.__file__).parent / f"{name}.py").exists() for name in modules)


def test_the_docstring_lists_every_module():
    listed = re.findall(r"^`(\w+)` ", simd.__doc__, re.MULTILINE)
    assert sorted(listed) == sorted(file.stem for file in Path(simd.__file__).parent.glob("[!_]*.py"))
