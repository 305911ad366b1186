"""Help texts: options under headings, the rare ones apart, and examples as they were written."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
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
    rare : bool
        It stands in the help of the models only.
    short : str, optional
        What the general help says of it, in place of `help`, which the help of the models says.
    """

    def __init__(self, *args: Any, section: str, rare: bool = False, short: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section
        self.rare = rare
        self.short = short

    def get_help_extra(self, ctx: click.Context) -> Any:
        """Return the default, and no range: what is out of it is told its bounds."""
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        return extra


def section(heading: str) -> Callable[..., Callable[[Callable], Callable]]:
    """Return what makes options as `click.option` does, under a heading."""
    return functools.partial(click.option, cls=SectionOption, section=heading)


class Command(ExamplesMixin):
    """A command with examples, and with its options under their headings, in the order in which they are declared.

    One that has rare options gets ``--help-model``, which shows them.

    Parameters
    ----------
    hints : mapping of str to str
        What to say of an option that it does not have, but that somebody may try: ``{"--output": "..."}``.
    """

    def __init__(self, *args: Any, hints: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hints = dict(hints or {})
        if any(_is_of_model(option) for option in self.params):
            self.params.append(
                click.Option(
                    ["--help-model"],
                    is_flag=True,
                    is_eager=True,
                    expose_value=False,
                    callback=_show_help_of_models,
                    help="Show the options of the models, and rare ones.",
                )
            )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line; an option that is not there is answered with what there is."""
        typed = [arg.partition("=")[0] for arg in args]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            # Of -bb, which is one word to other programs, click knows no -b.
            begun = (word for word in typed if word.startswith(error.option_name) and word in self.hints)
            named = next(begun, error.option_name)
            if named not in self.hints:
                raise
            raise click.NoSuchOption(named, f"No such option '{named}': {self.hints[named]}", ctx=ctx) from None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a list of options for each heading, without the rare ones."""
        _write_options(self, ctx, formatter, of_models=False)


def _is_of_model(option: click.Parameter) -> bool:
    """Tell whether the help of the models shows an option."""
    return isinstance(option, SectionOption) and bool(option.rare or option.short)


def _show_help_of_models(ctx: click.Context, option: click.Parameter, value: bool) -> None:
    """Print the help of the models, and end."""
    if not value or ctx.resilient_parsing:
        return
    formatter = ctx.make_formatter()
    ctx.command.format_usage(ctx, formatter)
    _write_options(ctx.command, ctx, formatter, of_models=True)
    click.echo(formatter.getvalue().rstrip("\n"))
    ctx.exit()


def _write_options(
    command: click.Command, ctx: click.Context, formatter: click.HelpFormatter, *, of_models: bool
) -> None:
    """Write a list of options for each heading, those of the models or the others."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for option in command.get_params(ctx):
        record = option.get_help_record(ctx)
        if record is None or not isinstance(option, click.Option):
            continue
        heading, short = "Options", ""
        if isinstance(option, SectionOption):
            heading, short = option.section, option.short
        if of_models and _is_of_model(option):
            sections.setdefault(heading, []).append(record)
        elif not of_models and not (isinstance(option, SectionOption) and option.rare):
            sections.setdefault("Model" if short else heading, []).append((record[0], short or record[1]))
    for heading, records in sections.items():
        with formatter.section(heading):
            formatter.write_dl(records)
