"""Break the adaptive model's decisions one at a time, and see whether a test notices.

    python scripts/mutate_policy.py [--count 60] [--seed 0] [--jobs 1] [--files light.py structure.py]

A break flips one comparison, constant, operator or condition, or leaves one call out, in one of the policy files of
`bgsub/background/adaptive` (all but the engines and their kernels), in a copy of the repository. The related tests run
until one fails. Breaks are drawn without replacement from all there are, so that seeds give independent samples.

What survives is printed with its place; whether it is the same program after all (a bound that no test can reach, the
order of two independent steps) is for a reader to say. With BGSUB_DATA set, tests on real footage run too.
"""

from __future__ import annotations

import argparse
import ast
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGE = Path("bgsub/background/adaptive")
ENGINES = {
    "__init__.py",
    "codes.py",
    "colour.py",
    "cpu.py",
    "engine.py",
    "evenness.py",
    "kernels.py",
    "neighbourhood.py",
    "shadows.py",
    "standing.py",
    "step.py",
}
COPIED = ("bgsub", "tests", "pyproject.toml")
LINKED = ("sample_videos",)
TESTS: dict[str | None, list[str]] = {  # related to a file, the quick and telling first; those of None to any other
    "clock.py": ["test_clock.py"],
    "constants.py": ["test_adaptive_constants.py", "test_adaptive_policy.py"],
    "light.py": ["test_light.py", "test_adaptive_policy.py", "test_adaptive_footage.py"],
    "structure.py": ["test_structure.py", "test_adaptive_policy.py"],
    "likeness.py": ["test_structure.py", "test_adaptive_policy.py", "test_adaptive_frames.py"],
    "tone.py": ["test_shadows.py", "test_adaptive_policy.py"],
    "evidence.py": ["test_evidence.py", "test_adaptive_policy.py"],
    "registration.py": [
        "test_registration_twin.py",
        "test_registration.py",
        "test_registration_lifecycles.py",
        "test_adaptive_frames.py",
    ],
    "displacement.py": ["test_registration.py", "test_adaptive_footage.py"],
    None: [
        "test_adaptive_policy.py",
        "test_adaptive.py",
        "test_adaptive_region.py",
        "test_adaptive_files.py",
        "test_registration.py",
        "test_registration_lifecycles.py",
        "test_adaptive_lifecycles.py",
        "test_adaptive_footage.py",
    ],
}
TIME_LIMIT = 900  # seconds for the tests of one break: a loop without end is noticed too

COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Mod: "*",
    ast.Pow: "*",
    ast.BitAnd: "|",
    ast.BitOr: "&",
}
SWAPPED = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "ceil": "floor", "floor": "ceil"}


class Break(NamedTuple):
    """One change of a file's text: what stands from `start` to `end` (of characters) becomes `new`."""

    file: str
    line: int
    start: int
    end: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{PACKAGE / self.file}:{self.line}  {' '.join(self.old.split())}  ->  {self.new}"


def walked(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and what is below it, but for annotations, messages of errors, docstrings and imports for types."""
    yield node
    if isinstance(node, ast.Raise) or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from walked(child)


def changes_of(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Yield what may take the place of a node, or of a part of it."""
    match node:
        case ast.Compare():
            for i, op in enumerate(node.ops):
                for new in COMPARISONS[type(op)]:
                    signs = [new if j == i else sign_of(other) for j, other in enumerate(node.ops)]
                    rest = zip(signs, map(ast.unparse, node.comparators), strict=True)
                    yield node, f"({ast.unparse(node.left)} {' '.join(f'{sign} {one}' for sign, one in rest)})"
        case ast.Constant(value=bool()):
            yield node, str(not node.value)
        case ast.Constant(value=int() | float() as value):
            yield from ((node, new) for new in other_numbers(value))
        case ast.BinOp() if type(node.op) in OPERATORS:
            left, right = (ast.unparse(part) for part in (node.left, node.right))
            yield node, f"(({left}) {OPERATORS[type(node.op)]} ({right}))"
        case ast.BoolOp():
            other = " or " if isinstance(node.op, ast.And) else " and "
            yield node, f"({other.join(f'({ast.unparse(value)})' for value in node.values)})"
        case ast.UnaryOp(op=ast.Not()):
            yield node, f"({ast.unparse(node.operand)})"
        case ast.If() | ast.IfExp():  # a stage or a case that is always taken, and one that never is
            yield from ((node.test, new) for new in ("True", "False"))
        case ast.Call(func=ast.Name(id=name)) if name in SWAPPED:
            yield node.func, SWAPPED[name]
        case ast.Call(func=ast.Attribute(attr=name) as function) if name in SWAPPED:
            yield function, f"{ast.unparse(function.value)}.{SWAPPED[name]}"
        case ast.Expr(value=ast.Call()):
            yield node, "pass"


def other_numbers(value: float) -> list[str]:
    if value in (0, 1):
        return ["1"] if value == 0 else ["2", "0"]
    return [repr(value * 2), str(value - 1) if isinstance(value, int) else repr(value / 2)]


def sign_of(op: ast.cmpop) -> str:
    """Return a comparison as it is written."""
    return ast.unparse(ast.Compare(ast.Name("a"), [op], [ast.Name("b")]))[2:-2]


def policy_files() -> list[str]:
    """Return the names of the files that decide, and touch no pixel."""
    return sorted(path.name for path in (ROOT / PACKAGE).glob("*.py") if path.name not in ENGINES)


def breaks_of(files: list[str]) -> list[Break]:
    """Return every break of the files that gives a program."""
    found = []
    for file in files:
        text = (ROOT / PACKAGE / file).read_text(encoding="utf-8")
        for one in walked(ast.parse(text)):
            found += [break_of(file, text, node, new) for node, new in changes_of(one)]
    return [one for one in found if is_program(broken((ROOT / PACKAGE / one.file).read_text(encoding="utf-8"), one))]


def break_of(file: str, text: str, node: ast.expr | ast.stmt, new: str) -> Break:
    """Return the break that puts `new` in the place of a node; the code's lines are taken to be ASCII."""
    lines = text.splitlines(keepends=True)
    assert node.end_lineno is not None and node.end_col_offset is not None
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    return Break(file, node.lineno, start, end, text[start:end], new)


def is_program(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def broken(text: str, one: Break) -> str:
    """Return a file's text with a break in it."""
    return text[: one.start] + one.new + text[one.end :]


class Workshop:
    """A copy of the repository in which one break after the other is tried."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:  # with compiled kernels, whose cache is valid as long as times of files are the same
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            copy(ROOT / name, folder / name)
        for name in LINKED:
            (folder / name).symlink_to(ROOT / name)

    def run_tests(self, names: Iterable[str]) -> str | None:
        """Return what failed, or None."""
        tests = [f"tests/background/{name}" for name in names]
        options = [
            "-x",
            "-q",
            "--no-header",
            "--tb=no",
            "-p",
            "no:cacheprovider",
            "-o",
            "addopts=--import-mode=importlib",
        ]
        command = [sys.executable, "-m", "pytest", *options, *tests]
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=TIME_LIMIT
            )
        except subprocess.TimeoutExpired:
            return "no end"
        if done.returncode == 0:
            return None
        said = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return said[0].split(" - ")[0] if said else (done.stdout + done.stderr)[-300:]

    def attempt(self, one: Break) -> str | None:
        """Return which test notices a break, or None."""
        path = self.folder / PACKAGE / one.file
        text = path.read_text(encoding="utf-8")
        path.write_text(broken(text, one), encoding="utf-8")
        try:
            return self.run_tests(TESTS.get(one.file, TESTS[None]))
        finally:
            path.write_text(text, encoding="utf-8")


def attempts(chosen: list[Break], jobs: int, folder: Path, check: bool) -> Iterator[tuple[Break, str | None, float]]:
    """Yield each break, what noticed it, and the seconds that took, as they come."""
    shops: queue.SimpleQueue[Workshop] = queue.SimpleQueue()
    for job in range(jobs):
        (folder / str(job)).mkdir()
        shop = Workshop(folder / str(job))
        every = {name: None for names in TESTS.values() for name in names}
        failed = shop.run_tests(every) if check and job == 0 else None
        if failed is not None:
            raise SystemExit(f"the tests fail without a break: {failed}")
        shops.put(shop)

    def attempt(one: Break) -> tuple[Break, str | None, float]:
        shop, start = shops.get(), time.monotonic()
        try:
            return one, shop.attempt(one), time.monotonic() - start
        finally:
            shops.put(shop)

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(attempt, chosen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60, help="breaks to try; 0 for all (60)")
    parser.add_argument("--seed", type=int, default=0, help="of the choice (0)")
    parser.add_argument("--jobs", type=int, default=1, help="copies of the repository that work side by side (1)")
    parser.add_argument("--files", nargs="+", default=policy_files(), metavar="NAME", help="instead of the policy's")
    parser.add_argument("--unchecked", action="store_true", help="do not see first that the tests pass without a break")
    parser.add_argument("--list", action="store_true", help="print the breaks chosen and try none")
    options = parser.parse_args()
    every = breaks_of(options.files)
    chosen = random.Random(options.seed).sample(every, min(options.count or len(every), len(every)))
    print(f"{len(chosen)} of {len(every)} breaks in {', '.join(options.files)}", flush=True)
    if options.list:
        print("\n".join(map(str, chosen)))
        return
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        for one, noticed, seconds in attempts(chosen, options.jobs, Path(folder), not options.unchecked):
            print(
                f"{'SURVIVED' if noticed is None else 'killed':8}  {seconds:4.0f} s  {one}  {noticed or ''}", flush=True
            )
            survivors += [one] if noticed is None else []
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} were noticed; survivors:")
    print("\n".join(f"  {one}" for one in survivors) or "  none")


if __name__ == "__main__":
    main()
