"""The Tab key: commands, options, words and file names, as the shells ask for them."""

import os
import re
import shutil
import subprocess
import sys

import pytest

PROGRAM = "import sys; from bgsub.cli import main; main()"


def completed(words, kind="bash"):
    """What the program answers to a shell for the last of some words: lines of ``type,value``."""
    asked = {"_BGSUB_COMPLETE": f"{kind}_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**os.environ, **asked}, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    "words",
    [
        ["run", "str"],
        ["run", "a.mp4", "b"],
        ["str"],  # a source without a command
        ["run", "a.mp4", "--mask", "m"],
        ["run", "a.mp4", "--overlay", ""],
        ["run", "a.mp4", "--load-model", "m"],
        ["run", "a.mp4", "--region", "mas"],
        ["a.mp4", "--stats", "s"],
        ["info", "str"],
        ["evaluate", "sam"],
        ["bench", "--video", "str"],
        ["cluster", "fit", "cust"],
        ["cluster", "fit", "customers.csv", "--model", "c"],
        ["cluster", "predict", "c.bgsub", "cust"],
        ["cluster", "colors", "pho"],
    ],
    ids=" ".join,
)
def test_names_of_files(words):
    assert completed(["bgsub", *words]) == [f"file,{words[-1]}"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["ru"], ["run"]),
        (["cluster", "s"], ["score", "sample", "select"]),
        (["run", "a.mp4", "--overl"], ["--overlay"]),
        (["a.mp4", "--overl"], ["--overlay"]),
        (["run", "a.mp4", "--var-thr"], ["--var-threshold", "--var-threshold-gen"]),
        (["run", "a.mp4", "--method", ""], ["adaptive", "mog2"]),
        (["run", "a.mp4", "--method", "MO"], ["mog2"]),
        (["cluster", "fit", "t.csv", "--covariance", "s"], ["spherical"]),
        (["run", "a.mp4", "--start", "1"], []),
    ],
    ids=lambda value: " ".join(value),
)
def test_commands_options_and_words(words, expected):
    assert completed(["bgsub", *words]) == [f"plain,{word}" for word in expected]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_for_shells(shell):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "_BGSUB_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert f"_BGSUB_COMPLETE={shell}_complete" in done.stdout
    assert done.returncode == 0


@pytest.mark.needs_system
def test_bash_completes_a_file_and_an_option(workplace):
    """Bash at a terminal, with the line of the README: Tab writes the rest of the name."""
    pty = pytest.importorskip("pty")
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    (workplace / "street of today.mp4").touch()
    program = workplace / "bin" / "bgsub"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{PROGRAM}\n")
    program.chmod(0o755)
    leader, follower = pty.openpty()
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PS1": "ready> ", "TERM": "dumb"}
    with subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"], stdin=follower, stdout=follower, stderr=follower, env=environment
    ) as shell:
        os.close(follower)
        os.write(leader, b'eval "$(_BGSUB_COMPLETE=bash_source bgsub)"\n')
        os.write(leader, b"bgsub run str\t --fil\t --help\n")
        os.write(leader, b"exit\n")
        shown = b""
        try:
            while chunk := os.read(leader, 4096):
                shown += chunk
        except OSError:  # the other side was closed
            pass
        shell.wait(timeout=60)
    os.close(leader)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[\x07\r]", "", shown.decode())
    assert "bgsub run street\\ of\\ today.mp4  --fill  --help" in text
