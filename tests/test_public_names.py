"""The public names: listed, documented, shown in an example, and nothing else beside them."""

from __future__ import annotations

import ast
import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import bgsub

SOURCE = Path(bgsub.__file__)


def test_dir_lists_the_public_names_only():
    code = "import bgsub; print(*dir(bgsub)); bgsub.MOG2; print(*dir(bgsub))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == [" ".join(sorted([*bgsub.__all__, "__version__"]))] * 2


@pytest.mark.parametrize("name", bgsub.__all__)
def test_every_name_has_an_example(name):
    public = getattr(bgsub, name)
    home = sys.modules[public.__module__]
    tests = doctest.DocTestFinder(recurse=False).find(public, name, module=home)
    assert sum(len(test.examples) for test in tests) >= 2  # `test_docstrings` runs them: modules with ">>>" are tried
    assert home.__file__ is not None
    assert name in vars(home)


def test_type_checkers_see_what_is_imported_at_first_use():
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    (checking,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.name: node.module for node in checking.body for alias in node.names}
    assert seen == bgsub._HOME
    assert sorted(seen) == sorted(bgsub.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"^module 'bgsub' has no attribute 'MOG3'$"):
        bgsub.MOG3  # noqa: B018
