"""Help of `bgsub cluster`: every command and option, plain text, without any heavy library; examples that work."""

import re
import shlex
import subprocess
import sys

import click
import pytest

from bgsub.cli.cluster import command as group

COMMANDS = group.list_commands(click.Context(group))
HEAVY = ["numpy", "pyarrow", "sklearn", "scipy", "matplotlib", "numba", "cv2", "av", "rich"]


def command_of(name):
    return group.get_command(click.Context(group), name)


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)])
def test_help_is_plain_text(bgsub, arguments):
    outcome = bgsub("cluster", *arguments, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert re.fullmatch(r"[\x20-\x7e\n]+", outcome.out)
    assert max(map(len, outcome.out.splitlines())) <= 100
    assert "\nExamples:\n  " in outcome.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(bgsub, name):
    pages = [bgsub("cluster", name, "--help").out]
    pages += [bgsub("cluster", name, "--help-model").out] * ("--help-model" in pages[0])  # the rare ones
    for option in command_of(name).params:
        if isinstance(option, click.Option):
            shown = pages[-1] if getattr(option, "rare", False) else pages[0]
            assert re.search(rf"^  (-\w, )?{option.opts[-1]}\b", shown, re.MULTILINE)
            assert re.fullmatch(r"[A-Z][^\n]+\.", option.help), option.help


def examples():
    for command in [group, *map(command_of, COMMANDS)]:
        for line in command.examples:
            yield line.split(" | ")[-1]


@pytest.mark.parametrize("example", list(examples()))
def test_examples_are_understood(example):
    program, family, name, *arguments = shlex.split(example)
    assert (program, family) == ("bgsub", "cluster")
    assert not command_of(name).make_context(name, arguments).args


def test_each_command_has_examples():
    for name in COMMANDS:
        assert any(f"bgsub cluster {name}" in example for example in command_of(name).examples)


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS), ["fit"]])
def test_help_waits_for_no_heavy_library(arguments):
    code = (
        "import sys; from bgsub.cli import main\n"
        f"try: main({['cluster', *arguments]})\n"
        f"except SystemExit: pass\nprint([name for name in {HEAVY} if name in sys.modules])"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert outcome.stdout.splitlines()[-1] == "[]"
