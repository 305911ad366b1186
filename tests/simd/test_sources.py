"""The source files of a kernel: its module, what that imports, and the vocabulary of vectors."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bgsub import simd
from bgsub.simd.sources import fingerprint_of, sources_of

VOCABULARY = set(Path(simd.__file__).parent.glob("*.py"))
FILES = {
    "__init__.py": "",
    "kernels.py": "import math\nimport numpy as np\nfrom pack.constants import SIZE\nfrom pack import shared\n",
    "constants.py": "from .deep import ORIGIN\nSIZE = ORIGIN\n",
    "shared.py": "if True:\n    import pack.conditional\n",
    "conditional.py": "try:\n    from . import attempted\nexcept ImportError:\n    from pack import fallback\n",
    "attempted.py": "from pack.constants import SIZE  # a circle\n",
    "fallback.py": "",
    "deep/__init__.py": "from pack.deep.inner import ORIGIN\n",
    "deep/inner.py": "ORIGIN = 1\n",
    "policy.py": "from pack.kernels import SIZE\n",
    "late.py": "def later():\n    from pack import policy\n",
}
USED = {"kernels", "constants", "shared", "conditional", "attempted", "fallback", "deep/__init__", "deep/inner"}


@pytest.fixture
def package(tmp_path, monkeypatch):
    for name, source in FILES.items():
        (tmp_path / "pack" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pack" / name).write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "pack"
    for name in [name for name in sys.modules if name.partition(".")[0] == "pack"]:
        del sys.modules[name]


def own_sources(module, folder):
    __import__(module)
    assert set(sources_of(module)) >= VOCABULARY
    return {file.relative_to(folder).with_suffix("").as_posix() for file in set(sources_of(module)) - VOCABULARY}


def test_every_import_within_the_package_is_followed(package):
    """However it is written, from package or module, in circles; but not to those who import the module."""
    assert own_sources("pack.kernels", package) == USED


def test_imports_within_functions_bind_no_global(package):
    assert own_sources("pack.late", package) == {"late"}


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("from pack.constants import (\n    SIZE,  # (of a tile\n)\n", {"constants"}),
        ("from pack import (\n    shared as one,\n    constants,\n)\n", {"shared", "constants"}),
        ("from pack.constants import \\\n    SIZE\n", {"constants"}),
        ("import math; import pack.constants\n", {"constants"}),
        ("if True: from pack import constants\n", {"constants"}),
        ("try:\n    import none\nexcept ImportError: import pack.constants as none\n", {"constants"}),
        ("from pack.constants import SIZE as S, \\\n  ORIGIN\nclass A:\n    import pack.policy\n", {"constants"}),
        ("def f(\n    a,\n):\n    import pack.policy\n\n\nif True:\n    import pack.constants\n", {"constants"}),
        (
            '"""Words that\nimport what is no module.\nfrom here import (on.\n"""\nfrom pack import constants\n',
            {"constants"},
        ),
    ],
)
def test_an_import_is_found_however_it_is_laid_out(source, named, package):
    (package / "laid.py").write_text(source)
    (package / "constants.py").write_text("SIZE = ORIGIN = 1\n")
    sys.modules["pack.laid"] = type(sys)("pack.laid")
    sys.modules["pack.laid"].__file__ = str(package / "laid.py")
    rest = USED - {"kernels", "constants"} if "shared" in named else set()
    assert own_sources("pack.laid", package) == {"laid"} | named | (rest - {"deep/__init__", "deep/inner"})


def test_an_edit_of_a_source_changes_the_fingerprint_and_no_other_edit_does(package):
    __import__("pack.kernels")
    before = fingerprint_of("pack.kernels")
    (package / "policy.py").write_text("OTHER = 2\n")
    assert fingerprint_of("pack.kernels") == before
    (package / "deep" / "inner.py").write_text("ORIGIN = 2\n")
    assert fingerprint_of("pack.kernels") != before


def test_a_module_without_a_file_stands_on_the_vocabulary_alone(monkeypatch):
    monkeypatch.delattr(sys.modules[__name__], "__file__")
    assert set(sources_of(__name__)) == VOCABULARY
