"""The source files that a kernel is made of: an edit of any of them must compile it anew."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

_VOCABULARY = tuple(sorted(Path(__file__).parent.glob("*.py")))
_IMPORT = re.compile(rb"\s*(?:\w[^#'\"]*:\s*)?((?:from\s+[\w.]+\s+)?import\b.*)")
_BLOCKS = (b"def ", b"class ", b"async ", b"@")


def fingerprint_of(module: str) -> str:
    """Return a short hash of `sources_of` a module."""
    digest = hashlib.sha256()
    for file in sources_of(module):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def sources_of(module: str) -> tuple[Path, ...]:
    """Return the files whose constants and functions the kernels of a module can use.

    Numba freezes the globals of a kernel, and inlines what it calls: both come from the module itself or from modules
    that it imports. So these are followed, from import to import, within the top-level package; code of other
    packages is taken to stay as it is.

    Parameters
    ----------
    module : str
        Name of a module that is being imported, or has been.

    Returns
    -------
    tuple of Path
        Its file and those of the modules that it imports, directly or not, then all files of `bgsub.simd`, which
        writes the code of vectors. Files that are not there (a package in an archive) are left out.
    """
    file = getattr(sys.modules[module], "__file__", None)
    if file is None:
        return _VOCABULARY
    home = Path(file)
    is_package = home.stem == "__init__"
    root = home.parents[module.count(".") + is_package]
    found: dict[Path, None] = {}  # in the order of discovery
    waiting = [home] if home.is_file() else []
    while waiting:
        file_now = waiting.pop()
        if file_now not in found and file_now not in _VOCABULARY:
            found[file_now] = None
            waiting += _imported_files(file_now, root)
    return (*sorted(found), *_VOCABULARY)


@cache
def _imported_files(file: Path, root: Path) -> tuple[Path, ...]:
    """Return the files of the modules that a file imports, of its own top-level package."""
    module = ".".join(file.relative_to(root).with_suffix("").parts)
    package = module.removesuffix(".__init__") if file.stem == "__init__" else module.rpartition(".")[0]
    top = module.partition(".")[0] + "."
    files = []
    for node in _imports(file.read_bytes()):
        base = "" if isinstance(node, ast.Import) else _origin(node, package)
        for alias in node.names:  # of a package either a module or a name of its own
            candidates = [f"{base}.{alias.name}", base] if base else [alias.name]
            inside = (_file_of(name, root) for name in candidates if f"{name}.".startswith(top))
            files.append(next(filter(None, inside), None))
    return tuple(file for file in files if file is not None)


def _origin(node: ast.ImportFrom, package: str) -> str:
    """Return the module that something is imported from."""
    return resolve_name("." * node.level + (node.module or ""), package) if node.level else str(node.module)


def _imports(source: bytes) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that bind globals: those outside of functions and classes.

    Only the statements that begin as imports are parsed: all of a file takes fifty times as long, at each start. What
    only looks like an import, in a text, at worst names a file more.
    """
    lines = source.splitlines()
    outside = True
    for i, line in enumerate(lines):
        if line[:1].strip() and line[:1] not in b")]}":
            outside = not line.startswith(_BLOCKS)
        found = _IMPORT.match(line) if outside else None
        if found is None:
            continue
        statement, following = found[1], iter(lines[i + 1 :])
        while _is_unfinished(statement) and (more := next(following, None)) is not None:
            statement += b"\n" + more
        with contextlib.suppress(SyntaxError):  # a text
            parsed = ast.parse(statement).body
            yield from (node for node in parsed if isinstance(node, (ast.Import, ast.ImportFrom)))


def _is_unfinished(statement: bytes) -> bool:
    """Say whether an import goes on in the next line."""
    code = b"\n".join(line.partition(b"#")[0].rstrip() for line in statement.split(b"\n"))
    return code.endswith(b"\\") or code.count(b"(") > code.count(b")")


@cache
def _file_of(module: str, root: Path) -> Path | None:
    place = os.path.join(root, *module.split("."))  # noqa: PTH118 - pathlib takes a tenth of a start for it
    names = (os.path.join(place, "__init__.py"), f"{place}.py")  # noqa: PTH118
    return next((Path(name) for name in names if os.path.isfile(name)), None)  # noqa: PTH113
