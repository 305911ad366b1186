"""Who imports scikit-learn: the estimator and its methods, and what they owe to it."""

from __future__ import annotations

import ast
from pathlib import Path

import bgsub

MIXTURE = Path(bgsub.__file__).parent / "mixture"
OF_SCIKIT_LEARN = {"estimator.py", "partly_known.py", "scikit_learn.py"}


def imported_at_the_top(path):
    """Top packages that a file imports when it is imported itself."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_only_the_estimator_imports_scikit_learn():
    files = {str(path.relative_to(MIXTURE)): imported_at_the_top(path) for path in MIXTURE.rglob("*.py")}
    assert len(files) > 20
    assert {name for name, imported in files.items() if "sklearn" in imported} == OF_SCIKIT_LEARN
