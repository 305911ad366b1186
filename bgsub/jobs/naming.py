"""What the outputs of many inputs are called: patterns of names, filled in for each so that no two are the same."""

from __future__ import annotations

import itertools
import os
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

from bgsub.errors import OutputError, ParameterError
from bgsub.jobs.inputs import Input
from bgsub.jobs.job import Job, Outputs
from bgsub.jobs.manifest import MANIFEST
from bgsub.outputs import is_extension
from bgsub.stores.store_paths import as_path

NAME = "{name}"
"""What stands for the input's name in a pattern, with its folder below the one that all inputs have in common."""

KINDS = ("mask", "overlay", "foreground", "background", "stats", "save_model")
"""The outputs that are files, as `Outputs` calls them."""

_USUAL = dict(zip(KINDS, (".mkv", ".mp4", ".webm", ".png", ".csv", ".bgsub"), strict=True))
_LONGEST = 200  # bytes of a name, so that what stands behind it has room in the 255 that file systems take


@dataclass(frozen=True)
class Task:
    """One of many inputs, and what is done with it.

    Attributes
    ----------
    input : Input
        What is read.
    job : Job
        How, and to which files; it can be sent to another process.
    outputs : tuple of str
        The job's outputs as seen from the folder of results, with slashes.
    """

    input: Input
    job: Job
    outputs: tuple[str, ...]


def for_one(outputs: Outputs, name: str) -> Outputs:
    """Return outputs of one input: plain names stay, extensions and patterns are filled in with its name."""
    named: dict[str, Any] = {
        kind: _filled(_pattern(kind, text), name)
        for kind, text in _texts(outputs).items()
        if NAME in text or is_extension(text)
    }
    return replace(outputs, **named)


def patterns(outputs: Outputs) -> Outputs:
    """Return outputs whose names hold for many inputs: ``.mp4`` becomes ``{name}.overlay.mp4``.

    Where there is none, there are the masks and a picture of them that any player opens, as of one input.

    Raises
    ------
    ParameterError
        When a name is that of one file, or leads out of the folder of results.
    """
    texts = _texts(outputs) or {"mask": ".mkv", "overlay": ".mp4"}
    named: dict[str, Any] = {kind: _pattern(kind, text) for kind, text in texts.items()}
    return replace(outputs, **named)


def _pattern(kind: str, text: str) -> str:
    middle = "" if kind == "save_model" else f".{kind}"
    if is_extension(text):
        return f"{NAME}{middle}{text}"
    option = f"--{kind.replace('_', '-')}"
    if NAME not in text:
        ending = "/" if text.endswith("/") else PurePath(text).suffix or _USUAL[kind]
        whole = f"{NAME}/" if ending == "/" else f"{NAME}{middle}{ending}"
        short = "" if ending == "/" else f"{ending} or "
        raise ParameterError(f"{option} {text} is one name for several inputs: write {short}'{whole}'")
    if PurePath(text).is_absolute() or ".." in PurePath(text).parts:
        raise ParameterError(f"{option} {text} leads out of the folder of results: name that by --into alone")
    return text


def filled(outputs: Outputs, name: str, folder: Path | None = None) -> Outputs:
    """Return outputs whose names are patterns with an input's name in them, in a folder if there is one."""
    start = "" if folder is None or folder == Path() else f"{folder}/"
    named: dict[str, Any] = {kind: start + _filled(text, name) for kind, text in _texts(outputs).items()}
    return replace(outputs, **named)


def paths_of(outputs: Outputs) -> list[Path]:
    """Return the files and folders that outputs name."""
    return [as_path(text) for text in _texts(outputs).values()]


def plan(inputs: Sequence[Input], pattern: Job, folder: Path, claimed: Mapping[str, Sequence[str]] = {}) -> list[Task]:
    """Return what is to be done with each input, with outputs of its own.

    Two inputs that differ in their extension alone, ``a.ts`` and ``a.mp4``, are called by their full names; what is
    still the same then is numbered.

    Parameters
    ----------
    inputs : sequence of Input
        As found.
    pattern : Job
        What is done with each; its outputs are those that `patterns` returns.
    folder : Path
        Folder of results.
    claimed : mapping of str to sequence of str
        What inputs own there already, by `Input.identity`: nobody else is called so, and they go on being called so.

    Raises
    ------
    OutputError
        When an output would be an input.
    """
    names = Names(list(_texts(pattern.outputs).values()), claimed)
    sources = {os.path.realpath(name) for item in inputs if item.is_path for name in item.reads}
    tasks = []
    for item, (name, written) in zip(inputs, names.choose_all(inputs), strict=True):
        outputs = filled(pattern.outputs, name, folder)
        for path in _texts(outputs).values():
            if os.path.realpath(path) in sources:
                raise OutputError(f"cannot write {path}: it is one of the inputs; choose another name or folder")
        tasks.append(Task(item, replace(pattern, source=item.pictures or item.source, outputs=outputs), written))
    return tasks


class Names:
    """The names that are taken in a folder of results.

    Parameters
    ----------
    patterns : sequence of str
        Of an input's outputs, with ``{name}`` in them.
    claimed : mapping of str to sequence of str
        What inputs own there already, by `Input.identity`, as the patterns make it.
    """

    def __init__(self, patterns: Sequence[str], claimed: Mapping[str, Sequence[str]]) -> None:
        self._patterns = patterns
        self._claimed = claimed
        self._owners = {_key(name): owner for owner, names in claimed.items() for name in names}
        self._taken = {_key(MANIFEST)}

    def choose_all(self, inputs: Sequence[Input]) -> list[tuple[str, tuple[str, ...]]]:
        """Return for each input what it is called, with its folder, and its outputs' names; they are taken then."""
        shared = Counter(_key(f"{item.folder}/{item.name}") for item in inputs)
        return [self._choose(item, alike=shared[_key(f"{item.folder}/{item.name}")] > 1) for item in inputs]

    def _choose(self, item: Input, *, alike: bool) -> tuple[str, tuple[str, ...]]:
        short, full = (_joined(item.folder, name) for name in (item.name, item.full_name))
        candidates = itertools.chain([full] if alike else [short, full], (f"{full}-{n}" for n in itertools.count(2)))
        kept = [name for name in (short, full) if self._filled(name) == tuple(self._claimed.get(item.identity, ()))]
        for name in itertools.chain(kept, candidates):
            outputs = self._filled(name)
            keys = {_key(output) for output in outputs}
            if not keys & self._taken and all(self._owners.get(key, item.identity) == item.identity for key in keys):
                self._taken |= keys
                return name, outputs
        raise AssertionError("numbers do not end")

    def _filled(self, name: str) -> tuple[str, ...]:
        return tuple(_filled(text, name) for text in self._patterns)


def _filled(text: str, name: str) -> str:
    """Return a pattern with a name in it, with slashes, and one at the end of a folder."""
    return text.replace(os.sep, "/").replace(NAME, name)


def _joined(folder: str, name: str) -> str:
    """Return a name with its folder; one too long for a file system is cut."""
    short = os.fsencode(name)[:_LONGEST].decode(errors="ignore") if len(os.fsencode(name)) > _LONGEST else name
    return f"{folder}/{short}" if folder else short


def _key(name: str) -> str:
    """Return what two names have in common that some file systems hold for one."""
    return unicodedata.normalize("NFC", name).casefold().rstrip("/")


def _texts(outputs: Outputs) -> dict[str, str]:
    """Return the outputs that are named, by kind."""
    return {kind: text for kind in KINDS if (text := getattr(outputs, kind)) is not None}
