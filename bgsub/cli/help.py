"""Help texts: options under headings, and examples as they were written."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click


class ExamplesMixin(click.Command):
    """A command whose help shows examples below its description.

    Parameters
    ----------
    examples : str
        One command line in each line, a remark after two spaces or more.
    """

    def __init__(self, *args: Any, examples: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.examples = examples.strip().splitlines()

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the description, then the examples line by line."""
        super().format_help_text(ctx, formatter)
        with formatter.section("Examples"):
            for line in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}{line.strip()}\n")


class SectionOption(click.Option):
    """An option that stands under a heading in the help.

    Parameters
    ----------
    section : str
        The heading.
    """

    def __init__(self, *args: Any, section: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


def section(heading: str) -> Callable[..., Callable[[Callable], Callable]]:
    """Return what makes options as `click.option` does, under a heading."""
    return functools.partial(click.option, cls=SectionOption, section=heading)


class Command(ExamplesMixin):
    """A command with examples, and with its options under their headings, in the order in which they are declared."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a list of options for each heading."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            heading = parameter.section if isinstance(parameter, SectionOption) else "Options"
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                sections.setdefault(heading, []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)
