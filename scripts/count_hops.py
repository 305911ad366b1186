"""Count how far a reader must follow one frame, or one fit, through the package.

    python scripts/count_hops.py            # three journeys: calls, files, moves between files
    python scripts/count_hops.py --trace    # and where each of the calls goes

Counted are calls of functions written in the package, on the thread that asks (``sys.setprofile``; a compiled kernel
is one call, and what it calls in turn is not seen). A *move* is a call into another file than the call before it:
reading in the order in which things happen, one turns to another file. Comprehensions and properties are calls, as
everywhere in Python 3.11.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import FrameType

import numpy as np

import bgsub

PACKAGE = Path(bgsub.__file__).parent

Calls = list[tuple[str, str]]
"""File below the package and name of each function, in the order of the calls."""


def calls_of(journey: Callable[[], object]) -> Calls:
    """Run `journey` and return its calls into the package."""
    calls: Calls = []
    below = f"{PACKAGE}/"

    def note(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(below):
            calls.append((frame.f_code.co_filename.removeprefix(below), frame.f_code.co_qualname))

    sys.setprofile(note)
    try:
        journey()
    finally:
        sys.setprofile(None)
    return calls


def moves(calls: Calls) -> int:
    """Return how often the next call is in another file."""
    return sum(one[0] != other[0] for one, other in pairwise(calls))


def still_camera(frames: int = 60) -> Iterator[np.ndarray]:
    """Yield images of a textured place with a little noise, through which one bright object goes."""
    rng = np.random.default_rng(0)
    place = rng.integers(40, 200, (240, 320, 3)).astype(np.float32)
    for index in range(frames):
        image = place + rng.normal(0, 2, place.shape)
        image[40:70, 2 * index : 2 * index + 20] = 230
        yield image.clip(0, 255).astype(np.uint8)


def of_apply(model: bgsub.MOG2 | bgsub.BackgroundSubtractor) -> Calls:
    """Return the calls of the longest ``apply`` among the last of a still camera: some work is done now and then."""
    every = [calls_of(partial(model.apply, image)) for image in still_camera()]
    return max(every[-12:], key=moves)


def of_fit() -> Calls:
    """Return the calls of a fit of two components to 30,000 rows of three columns, with two iterations."""
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(0, 1, (15_000, 3)), rng.normal(1, 1, (15_000, 3))])
    mixture = bgsub.GaussianMixture(2, max_iter=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two iterations are too few to converge
        mixture.fit(X)  # so that the one that is counted imports and compiles nothing
        return calls_of(lambda: mixture.fit(X))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trace", action="store_true", help="print the calls too")
    trace = parser.parse_args().trace
    journeys = {
        "MOG2.apply": of_apply(bgsub.MOG2(threads=1)),
        "BackgroundSubtractor.apply": of_apply(bgsub.BackgroundSubtractor(threads=1)),
        "GaussianMixture.fit": of_fit(),
    }
    print(f"{'journey':28} {'calls':>5} {'files':>5} {'moves':>5}")
    for name, calls in journeys.items():
        print(f"{name:28} {len(calls):5} {len({file for file, _ in calls}):5} {moves(calls):5}")
    for name, calls in journeys.items() if trace else ():
        print(f"\n{name}")
        for before, (file, function) in pairwise([("", ""), *calls]):
            print(f"  {file if file != before[0] else '':44} {function}")


if __name__ == "__main__":
    main()
