"""Kinds of scene for people and programs: summary, JSON, timeline, contact sheet."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click
import numpy as np

from bgsub.features.collecting import FEATURES
from bgsub.features.description import TYPICAL, UNUSUAL, describe, in_words
from bgsub.features.kinds import Scenes
from bgsub.features.rereading import pictures_at
from bgsub.plots.contact_sheet import SheetRow, sheet_figure
from bgsub.plots.figures import UNUSUAL_COLOUR, colours, save_figure
from bgsub.plots.timeline import Timeline, timeline_figure
from bgsub.times import written_time
from bgsub.video.source import Source
from bgsub.video.writers.tones import Tones


def report(facts: dict[str, Any], scenes: Scenes | None, options: dict[str, Any]) -> None:
    """Print the summary: to stderr if a table went to stdout.

    Parameters
    ----------
    facts : dict
        'result', 'source', 'frames' and 'outputs'.
    scenes : Scenes or None
        What was found; None where only features were wanted.
    options : dict
        The command's options.
    """
    to_stderr = "-" in (options["output"], options["features_only"])
    if options["as_json"]:
        click.echo(json.dumps(facts | ({} if scenes is None else describe(scenes))), err=to_stderr)
    elif not options["quiet"]:
        done = f"{facts['result']}: {facts['frames']:,} frames of {facts['source']}"
        if scenes is None:
            click.echo(f"{done}, {len(FEATURES)} features each", err=to_stderr)
        else:
            _print_kinds(scenes, to_stderr)
            moments = ", ".join(written_time(scenes.features.times[row]) for row in scenes.unusual(UNUSUAL))
            click.echo(f"\n{done}, the most unusual at {moments}", err=to_stderr)
        for path in facts["outputs"]:
            click.echo(f"  wrote {path}", err=to_stderr)


def write_timeline(path: str, scenes: Scenes) -> None:
    """Draw when each kind is seen, with brightness, foreground and log-density."""
    f = scenes.features
    curves = {
        "brightness\n(L*)": f["brightness"],
        "foreground\n(%)": f["foreground"],
        "log-density": scenes.log_density,
    }
    share = np.bincount(scenes.labels, minlength=scenes.n_kinds) / len(f)
    names = [f"kind {kind}: {part:.1%}" for kind, part in enumerate(share)]
    timeline = Timeline(f.times, scenes.probabilities, names, curves, scenes.unusual(UNUSUAL))
    save_figure(timeline_figure(timeline), path, few_colours=True)


def write_sheet(path: str, scenes: Scenes, open_from: Callable[[float], Source]) -> None:
    """Draw typical frames of each kind, and unusual frames, read again from the source."""
    times = scenes.features.times
    unusual = scenes.unusual(UNUSUAL)
    chosen = [scenes.typical(kind, TYPICAL) for kind in range(scenes.n_kinds)]
    images = pictures_at(open_from, times[[row for rows in [*chosen, unusual] for row in rows]].tolist())
    tones = Tones()
    for image in images.values():
        tones(image)  # the range in which all of them are shown

    def row_of(title: str, details: str, colour: object, rows: list[int]) -> SheetRow:
        pictures = [tones(images[float(times[row])]) for row in rows]
        captions = [written_time(times[row]) for row in rows]
        return SheetRow(title, details, colour, pictures, captions, [_boxes(scenes, row) for row in rows])

    seconds = scenes.seconds()
    rows = []
    for kind, colour in enumerate(colours(scenes.n_kinds)):
        if not chosen[kind]:
            continue
        lines = [
            f"{(scenes.labels == kind).mean():.1%}, {seconds[kind]:.1f} s",
            *(f"{text} sd" for text in in_words(scenes, kind)),
        ]
        rows.append(row_of(f"kind {kind}", "\n".join(lines), tuple(colour), chosen[kind]))
    rows.append(
        row_of(
            "unusual", "the least likely\nframes, the\nstrangest first;\nframed: what moves", UNUSUAL_COLOUR, unusual
        )
    )
    save_figure(sheet_figure(rows), path)


def _boxes(scenes: Scenes, row: int) -> np.ndarray:
    """Return where something moves in a frame, (n, 4)."""
    boxes = scenes.features.boxes
    return np.empty((0, 4), int) if boxes is None else boxes[row][boxes[row].any(axis=1)].astype(int)


def _print_kinds(scenes: Scenes, to_stderr: bool) -> None:
    """Print a row a kind of scene."""
    from bgsub.cli.tables import print_table

    table = []
    for kind in describe(scenes)["kinds"]:
        first = "-" if kind["first_time"] is None else written_time(kind["first_time"])
        cells = [str(kind["label"]), f"{kind['share']:.1%}", f"{kind['seconds']:.2f}", first]
        cells += [f"{kind['mean'].get(name, np.nan):.1f}" for name in ("brightness", "foreground", "objects")]
        table.append([*cells, ", ".join(in_words(scenes, kind["label"])) or "-"])
    headings = ["kind", "share", "seconds", "first seen", "brightness", "foreground %", "objects", "stands out by (sd)"]
    print_table(headings, table, to_stderr)
