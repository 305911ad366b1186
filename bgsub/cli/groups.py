"""Groups of commands, each command in a file of its own that is imported when it is called for."""

from __future__ import annotations

import difflib
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
    hints : mapping of str to str
        Names that somebody may try, and the command that is meant.
    """

    def __init__(
        self,
        *args: Any,
        package: str,
        lazy_commands: Mapping[str, str],
        hints: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.package = package
        self.lazy_commands = dict(lazy_commands)
        self.hints = dict(hints or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(self.lazy_commands)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the command `name`."""
        if name not in self.lazy_commands:
            return None
        return importlib.import_module(f"{self.package}.{name}").command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is called; one that is not there is answered with those that are called nearly so."""
        if args[0] in self.lazy_commands or args[0].startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(args[0], [*self.lazy_commands, *self.hints])
        hint = f" Did you mean '{self.hints.get(near[0], near[0])}'?" if near else ""
        raise click.UsageError(f"No such command '{args[0]}'.{hint}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.lazy_commands.items()))
