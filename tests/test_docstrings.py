"""The examples in docstrings run, and print what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def modules_with_examples():
    files = sorted((ROOT / "bgsub").rglob("*.py"))
    shown = [path.relative_to(ROOT) for path in files if ">>> " in path.read_text(encoding="utf-8")]
    return [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in shown]


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_run(name, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried > 0
    assert failed == 0, capsys.readouterr().out
