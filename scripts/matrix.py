"""Run the tests with other versions: the oldest libraries that pyproject.toml allows, the newest, other Pythons.

    python scripts/matrix.py                        # all that is found here; half an hour for each on two cores
    python scripts/matrix.py --list                 # what that would be
    python scripts/matrix.py oldest headless -- tests/simd tests/mixture -m "not slow"

- ``oldest``: Python 3.11, and of each library the oldest series that pyproject.toml allows (``>=1.26`` is 1.26.*,
  ``>=17`` is 17.0.*).
- ``newest``: Python 3.11 with what pip finds, pre-releases too with ``--pre``.
- ``headless``: as newest, with opencv-python-headless in place of opencv-python, as the README says for servers.
- ``python3.X``: as newest, for each other Python from 3.11 on that is on the PATH and runs.

Each has an environment of its own in ``.venv-matrix/``, made anew, and runs with its own compiled kernels. Arguments
after ``--`` go to pytest. Exits with 1 if any failed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".venv-matrix"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(*extras: str) -> list[str]:
    """Return what the project and its extras need, their references to each other resolved."""
    found = list(PROJECT["dependencies"])
    for extra in extras:
        for line in PROJECT["optional-dependencies"][extra]:
            inner = re.fullmatch(r"bgsub\[([\w,]+)\]", line)
            found += requirements(*inner[1].split(",")) if inner else [line]
    return list(dict.fromkeys(found))


def oldest(requirement: str) -> str:
    """Return the requirement of the oldest series that one allows: ``numpy>=1.26`` gives ``numpy==1.26.*``."""
    name, bound = re.match(r"([\w-]+)>=([\d.]+)", requirement).groups()  # type: ignore[union-attr]
    return f"{name}=={bound if '.' in bound else f'{bound}.0'}.*"


def works(python: str) -> bool:
    """Tell whether an interpreter is there and runs."""
    return shutil.which(python) is not None and subprocess.run([python, "-V"], capture_output=True).returncode == 0


def columns() -> dict[str, str]:
    """Return the names of what can be run here, and the interpreter of each."""
    others = {name: name for minor in range(12, 20) if works(name := f"python3.{minor}")}
    first = "python3.11" if works("python3.11") else ""
    return {**({"oldest": first, "newest": first, "headless": first} if first else {}), **others}


def install(name: str, python: str, pre: bool) -> Path:
    """Make the environment of a column, and return its interpreter."""
    folder = FOLDER / name
    subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    needed = requirements("test")
    if name == "oldest":
        needed = [oldest(line) for line in needed]
    elif name == "headless":
        needed = [line.replace("opencv-python", "opencv-python-headless") for line in needed]
    pip = [str(interpreter), "-m", "pip", "install", "-q"]
    subprocess.run([*pip, *(["--pre"] if pre else []), *needed], check=True)
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)
    return interpreter


def run(name: str, python: str, pre: bool, arguments: list[str]) -> bool:
    """Install and test one column; tell whether all went well."""
    print(f"== {name}: {python}", flush=True)
    try:
        interpreter = install(name, python, pre)
        done = subprocess.run(
            [interpreter, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
            cwd=ROOT,
            env={**os.environ, "NUMBA_CACHE_DIR": str(FOLDER / name / "kernels"), "PYTHONPATH": ""},
        )
    except subprocess.CalledProcessError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return False
    return done.returncode == 0


def main() -> None:
    """Run what was asked for, and print a line about each."""
    arguments = sys.argv[1:]
    split = arguments.index("--") if "--" in arguments else len(arguments)
    found = columns()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of those that --list shows; all by default")
    parser.add_argument("--list", action="store_true", help="show what can be run here")
    parser.add_argument("--pre", action="store_true", help="let pip install pre-releases")
    options = parser.parse_args(arguments[:split])
    if options.list:
        print("\n".join(f"{name:12} {python}" for name, python in found.items()))
        return
    if unknown := [name for name in options.names if name not in found]:
        parser.error(f"not found here: {', '.join(unknown)}; --list shows what is")
    results = {
        name: run(name, found[name], options.pre, arguments[split + 1 :] or ["-n", "auto"])
        for name in options.names or found
    }
    print("\n".join(f"{name:12} {'passed' if passed else 'FAILED'}" for name, passed in results.items()))
    sys.exit(not all(results.values()))


if __name__ == "__main__":
    main()
