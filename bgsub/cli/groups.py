"""Groups of commands, each command in a file of its own that is imported when it is called for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from bgsub.cli.help import ExamplesMixin


class LazyGroup(ExamplesMixin, click.Group):
    """A group that imports a command when it is called for.

    Parameters
    ----------
    package : str
        Where its commands are: ``NAME`` is ``command`` in the module ``package.NAME``.
    lazy_commands : mapping of str to str
        The commands' names, and a line about each.
    """

    def __init__(self, *args: Any, package: str, lazy_commands: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.package = package
        self.lazy_commands = dict(lazy_commands)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(self.lazy_commands)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the command `name`."""
        if name not in self.lazy_commands:
            return None
        return importlib.import_module(f"{self.package}.{name}").command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.lazy_commands.items()))
