"""Runs a watch on cameras that act, as a program: `python -m tests.live.run_acting cameras.toml`."""

import asyncio
import logging
import sys
from pathlib import Path

from bgsub.cli.watch_printing import Printing
from bgsub.live.configuration.reading import read_configuration
from bgsub.live.household import services
from bgsub.live.supervising.keeping_up import Pace
from bgsub.live.supervising.running import run
from tests.live.acting import PROGRAM

PACE = Pace(0.1, 0.4, 60.0, 0.3, 20.0, 40.0, 5.0)

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    path = Path(sys.argv[1])
    printing = Printing(as_json=False, quiet=False)
    watch = read_configuration(path).watch
    heard = asyncio.run(
        run(watch, [printing, *services([])], read_again=lambda: read_configuration(path), pace=PACE, program=PROGRAM)
    )
    sys.exit(128 + heard)
