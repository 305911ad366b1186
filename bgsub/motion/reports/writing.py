"""A report is written: its extension says in which format."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from bgsub.errors import OutputError
from bgsub.files import atomic_write
from bgsub.jobs.staging import written_to
from bgsub.motion.events import Rule
from bgsub.motion.reports.chapters import ffmetadata_report
from bgsub.motion.reports.csv_table import csv_report
from bgsub.motion.reports.edl import edl_report
from bgsub.motion.reports.html_page import html_report
from bgsub.motion.reports.json_values import json_lines_report, json_report
from bgsub.motion.reports.moments import Clips
from bgsub.motion.reports.otio import otio_report
from bgsub.motion.results import Scanned
from bgsub.stores.store_paths import as_path

Form = Callable[[Sequence[Scanned], Rule, datetime, Path, Clips], bytes]

_FORMS: dict[str, Form] = {
    ".csv": lambda results, rule, made, path, clips: csv_report(results, rule, clips),
    ".json": lambda results, rule, made, path, clips: json_report(results, rule, made, clips),
    ".jsonl": lambda results, rule, made, path, clips: json_lines_report(results, rule, clips),
    ".edl": lambda results, rule, made, path, clips: edl_report(results, rule),
    ".otio": lambda results, rule, made, path, clips: otio_report(results, rule),
    ".ffmeta": lambda results, rule, made, path, clips: ffmetadata_report(results[0] if results else Scanned(None)),
    ".html": lambda results, rule, made, path, clips: html_report(results, made, path, clips),
}

WRITABLE_REPORTS = tuple(_FORMS)


def write_report(
    path: str | os.PathLike[str],
    results: Sequence[Scanned],
    rule: Rule,
    *,
    clips: Clips | None = None,
    made: datetime | None = None,
) -> None:
    """Write a report of what was scanned; it takes its name once it is whole.

    Parameters
    ----------
    path : path-like
        File to write, in one of `WRITABLE_REPORTS`.
    results : sequence of Scanned
        What it tells of: one timeline or many, with those that could not be read.
    rule : Rule
        With which they were scanned.
    clips : mapping, optional
        Of an event, by the number of its result from 0 and its own, the `Clip` that was written (`clips_among`): a page
        links it, tables say when it really begins and ends.
    made : datetime, optional
        When; default now.

    Raises
    ------
    OutputError
        When the extension is another, or the file cannot be written.
    """
    check_report(path, len(results))
    target = as_path(path)
    content = _FORMS[target.suffix.lower()](results, rule, made or datetime.now().astimezone(), target, clips or {})
    with written_to(path) as here, atomic_write(here) as file:
        file.write(content)


def check_report(path: str | os.PathLike[str], sources: int = 1) -> None:
    """Raise OutputError unless a report of that name can be written of so many timelines: to ask before the scan.

    Parameters
    ----------
    path : path-like
        File to write.
    sources : int
        How many timelines will be in it.
    """
    if Path(path).suffix.lower() not in _FORMS:
        known = ", ".join(_FORMS)
        raise OutputError(f"cannot write the report {path}: its extension is not one of {known}; choose one of these")
    if Path(path).suffix.lower() == ".ffmeta" and sources > 1:
        raise OutputError(
            f"cannot write the report {path}: it holds the chapters of one video, and there are {sources}; "
            "scan one, or choose another extension"
        )
