"""``bgsub cluster frames`` of several videos: a table of each one's features, and how all are clustered as one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from bgsub.cli.batch import Work, execute_batch

if TYPE_CHECKING:
    from bgsub.jobs.inputs import Input, Inputs

_AS_OF_ONE = "--exclude frame,time --scale --pca 6 --reg-covar 0.25"
"""Prepares all frames as those of one video are prepared."""


def found_in(sources: Sequence[str], options: dict[str, Any]) -> Inputs:
    """Return what the names on the command line mean."""
    from bgsub.jobs.inputs import find_inputs

    return find_inputs(sources, recursive=options["recursive"])


def write_tables(inputs: Sequence[Input], options: dict[str, Any]) -> None:
    """Write a table of each video's features into a folder, and say what came of each.

    Parameters
    ----------
    inputs : sequence of Input
        As found.
    options : dict
        Of the command.
    """
    from bgsub.features.videos import LISTED, pattern, tabulate
    from bgsub.jobs import Excerpt

    excerpt = Excerpt(**{field.name: options[field.name] for field in fields(Excerpt) if field.name in options})
    job = pattern(excerpt, threads=options["threads"], overwrite=options["overwrite"])
    execute_batch(inputs, job, options, Work(tabulate, "read", LISTED))
    if not (options["as_json"] or options["quiet"]):
        folder = shlex.quote(options["into"] or ".")
        click.echo("An embedding is left out, since its axes would be others in each video. To cluster all as one:")
        click.echo(f"  bgsub cluster fit {folder} {_AS_OF_ONE} --components 5 --model kinds.bgsub")
