"""Choose the adaptive model's constants with one category of sequences left out at a time, and score it there.

    BGSUB_DATA=FOLDER python scripts/tune_adaptive.py [--jobs 2] [--results FILE] [--training 200]
    BGSUB_DATA=FOLDER python scripts/tune_adaptive.py --ablation [--jobs 2] [--results FILE]

FOLDER/cdnet holds sequences in CDnet's layout. Every constant is tried at a few other values, one at a time, on every
sequence. Then, for each category, the values that raise the mean F of the *other* categories are taken together (if
they hold together; else the best one alone), and the category left out is scored with them: what a user's own footage
may expect. UCSD, whose two clips score from the first frames on, tests bootstrapping alone and is shown apart.

It takes an hour or more of one processor, --ablation a quarter of one. With --results what was measured is kept, and a
run that was broken off goes on; --constants chooses among some of them only; --training shortens what is learned before
the first frame that counts while values are chosen. The category left out is always scored on all of its frames.

--ablation prints instead what each stage brings and costs: F, and processor time in turn with the whole model, with the
stage switched off.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np

import bgsub
from bgsub import BackgroundSubtractor
from bgsub.background.adaptive import constants
from bgsub.background.parameters import ADAPTIVE_PARAMETERS
from bgsub.errors import BgsubError
from bgsub.evaluation.datasets import find_sequences
from bgsub.evaluation.protocol import outside_of
from bgsub.evaluation.scoring import SequenceScore, add_frame, evaluate
from bgsub.evaluation.sequences import DecodedSequence, LabelledFrame

Values = dict[str, Any]
Scores = dict[str, float]  # F by "category/sequence"

# For each hand-tuned constant the values to try beside its default: one where an earlier search found little effect.
CANDIDATES: dict[str, tuple[float, ...]] = {
    "threshold": (6.0, 7.0),
    "smoothing": (1.0, 2.0),
    "min_area": (10,),
    "shadow_threshold": (0.4, 0.5),
    "match_distance": (10.0, 16.0),
    "low_weight": (0.05, 0.15),
    "weight_doubt": (4.0, 8.0),
    "early_doubt": (4.0,),
    "shadow_spread": (0.8,),
    "shadow_doubt": (4.5,),
    "even_credit": (2.0, 6.0),
    "even_depth": (0.55, 0.8),
    "even_spread": (0.02, 0.04),
    "uneven_spread": (0.05, 0.08),
    "tone_doubt": (3.0, 9.0),
    "tone_margin": (0.05, 0.15),
    "standing_gain": (15.0, 60.0),
    "standing_share": (0.07, 0.15),
    "standing_reach": (0.12, 0.25),
    "flicker_doubt": (30.0, 90.0),
    "flicker_rate": (0.03,),
    "flicker_still": (0.05,),
    "flicker_lively": (0.03,),
    "neighbour_still": (0.06,),
    "neighbour_lively": (0.01, 0.03),
    "neighbour_doubt": (1.0,),
    "liveliness_low": (0.06,),
    "liveliness_high": (0.08, 0.12),
    "restless": (0.03,),
    "var_init_y": (14.0, 30.0),
    "var_init_c": (8.0,),
    "var_min_y": (16.0, 25.0),
    "var_min_c": (9.0,),
    "var_max": (65.0,),
    "var_stretch": (300.0,),
    "fill_area": (0.002,),
    "lively_area": (0.001, 0.003),
    "large_area": (0.008,),
    "large_still": (0.002,),
    "large_early": (15, 60),
    "lively_age": (5.0, 12.0),
    "structure": (0.6,),
    "vacated_frames": (30, 120),
    "vacated_ratio": (0.3, 0.5),
    "low_contrast": (0.35, 0.5),
    "noise_margin": (1.5, 3.0),
    "ghost_ratio": (0.7,),
    "ghost_edges": (4.0,),
    "taper": (5.0, 20.0),
}

STAGES: dict[str, Values] = {
    "everything": {},
    "without light compensation": {"compensate_light": False},
    "without clipped channels as bounds": {},
    "without shadows": {"detect_shadows": False},
    "without evenness": {"even_credit": 0.0, "even_depth": 1.0},
    "without the shadows' tone": {"tone_doubt": 0.0},
    "without evenness and tone": {"even_credit": 0.0, "even_depth": 1.0, "tone_doubt": 0.0},
    "without what stands": {"standing_gain": 0.0},
    "without smoothing": {"smoothing": 0.0},
    "without the prior on weights": {"weight_doubt": 0.0},
    "without early doubt": {"early_doubt": 0.0},
    "without flicker": {"flicker_doubt": 0.0, "neighbour_radius": 0, "restless": 0.25, "var_stretch": 0.0},
    "without neighbours": {"neighbour_radius": 0},
    "without liveliness": {"liveliness_low": 0.0, "liveliness_high": 1e-9},
    "without structure": {"structure": 1.0},
    "without vacated ground": {"vacated_frames": 0},
    "without acuity in fog": {"low_contrast": 0.0},
    "without ghosts": {"ghost_ratio": 0.0},
    "without registration": {"stabilise": False},
    "without small objects dropped, holes filled": {"min_area": 0, "lively_area": 0.0, "fill_area": 0.0},
    "without slow learning of foreground": {"absorption_time": 1e-9, "taper": 1e6},
}

# Of stages that no parameter switches off: constants of `bgsub.background.adaptive.constants` that do.
INNER: dict[str, Values] = {"without clipped channels as bounds": {"_CLIPPED": np.inf, "_WHITE": np.inf}}

_SURE_GAIN = 0.0005  # of the mean F; less is noise
_BLOCK = 10  # frames that each model goes through before the next one has its turn


@cache
def decoded(folder: Path, name: str) -> DecodedSequence:
    """Return a sequence with its frames in memory, as far as any counts: each is gone through many times."""
    (sequence,) = (one for one in find_sequences(folder) if one.key == name)
    return DecodedSequence(sequence.category, sequence.name, frames_that_count(sequence), sequence.region())


def frames_that_count(frames: Iterable[LabelledFrame], training: int | None = None) -> list[LabelledFrame]:
    """Return frames up to the last with a truth, from `training` before the first with one (None: from the start)."""
    frames = list(frames)
    labelled = [i for i, frame in enumerate(frames) if frame.truth is not None]
    first = 0 if training is None else max(0, labelled[0] - training)
    return frames[first : labelled[-1] + 1]


def score_sequence(folder: Path, values: Values, training: int | None, name: str) -> float:
    """Return F on a sequence."""
    cv2.setNumThreads(1)
    whole = decoded(folder, name)
    part = DecodedSequence(whole.category, whole.name, frames_that_count(whole, training), whole.region())
    return evaluate(part, BackgroundSubtractor(threads=1, **values)).metrics.f_measure


def digest_of_code() -> str:
    """Return a digest of everything that masks depend on."""
    root = Path(bgsub.__file__).parent
    digest = hashlib.sha256()
    for room in ("background", "evaluation", "simd"):
        for file in sorted((root / room).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


class Results:
    """What was measured, by the code and what it was measured of.

    Kept in `file`, if there is one, a JSON object a line: the next run of the same code finds it there.
    """

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.code = digest_of_code()
        self.known: dict[str, Any] = {}
        if file is not None and file.exists():
            lines = [json.loads(line) for line in file.read_text().splitlines()]
            self.known = {line["key"]: line["result"] for line in lines}

    def key(self, *of: Any) -> str:
        """Return by what a result is found again."""
        return json.dumps([self.code, *of])

    def keep(self, key: str, result: Any) -> None:
        """Remember a result, on disk too."""
        self.known[key] = result
        if self.file is not None:
            with self.file.open("a") as file:
                file.write(json.dumps({"key": key, "result": result}) + "\n")


class Scorer:
    """Scores sets of values on sequences, each once."""

    def __init__(self, folder: Path, jobs: int, results: Results) -> None:
        self.folder = folder
        self.names = [one.key for one in find_sequences(folder)]
        self.pool = ProcessPoolExecutor(jobs)
        self.results = results

    def __call__(self, values: Values, names: list[str], training: int | None = None) -> Scores:
        """Return F by sequence."""
        keys = {name: self.results.key(name, training, sorted(values.items())) for name in names}
        new = [name for name in names if keys[name] not in self.results.known]
        work = partial(score_sequence, self.folder, values, training)
        for name, f in zip(new, self.pool.map(work, new), strict=True):
            self.results.keep(keys[name], f)
        scores: Scores = {name: self.results.known[keys[name]] for name in names}
        if new:
            label = ", ".join(f"{k}={v:g}" for k, v in values.items()) or "defaults"
            print(f"  {mean_f(scores, names):.4f}  {label}", file=sys.stderr, flush=True)
        return scores


def mean_f(scores: Scores, names: list[str]) -> float:
    """Return the mean F over sequences."""
    return float(np.mean([scores[name] for name in names]))


def choose(score: Scorer, names: list[str], tried: list[str], training: int | None) -> Values:
    """Return the values that are best on the sequences `names`, found one constant at a time."""

    def mean(values: Values, scored: list[str]) -> float:
        return mean_f(score(values, scored, training), names)

    reference = mean({}, score.names)
    gains = []
    for constant in tried:  # on all sequences: each is left out but once
        gain, value = max((mean({constant: v}, score.names) - reference, v) for v in CANDIDATES[constant])
        if gain > _SURE_GAIN:
            gains.append((gain, constant, value))
    gains.sort(reverse=True)
    chosen: Values = {}
    best = reference
    for _, constant, value in gains:  # each must still help beside those taken before
        trial = {**chosen, constant: value}
        if (f := mean(trial, names)) > best:
            chosen, best = trial, f
    return chosen


def leave_one_out(score: Scorer, tried: list[str], training: int | None) -> None:
    """Print F on each category with the constants chosen without it."""
    categories = {key: list(names) for key, names in itertools.groupby(score.names, lambda n: n.split("/")[0])}
    print(f"{'left out':20} {'sequence':18} defaults  chosen without it")
    pairs: dict[str, list[tuple[float, float]]] = {}
    for category, inside in categories.items():
        chosen = choose(score, [name for name in score.names if name not in inside], tried, training)
        before, after = score({}, inside), score(chosen, inside)
        for name in inside:
            pair = before[name], after[name]
            pairs.setdefault("UCSD" if category == "UCSD" else "others", []).append(pair)
            print(f"{category:20} {name.split('/')[1]:18} {pair[0]:8.4f}  {pair[1]:8.4f}")
        print(f"{'':20} {', '.join(f'{k}={v:g}' for k, v in chosen.items()) or 'the defaults'}", flush=True)
    pairs["all"] = [pair for group in list(pairs.values()) for pair in group]
    for label, group in pairs.items():
        print(f"mean F, {label:31} {np.mean([a for a, _ in group]):8.4f}  {np.mean([b for _, b in group]):8.4f}")


def take_turns(folder: Path, name: str) -> dict[str, tuple[float, float]]:
    """Return F and processor milliseconds a frame by stage; all models go through the same blocks of frames in turn."""
    cv2.setNumThreads(1)
    sequence = decoded(folder, name)
    frames = list(sequence)
    outside = outside_of(sequence.region())
    for values in STAGES.values():  # what must be compiled or loaded is nobody's time
        warming = BackgroundSubtractor(threads=1, **values)
        for frame in frames[: 3 * _BLOCK]:
            warming.apply(frame.image)
    models = {label: BackgroundSubtractor(threads=1, **values) for label, values in STAGES.items()}
    scores = {label: SequenceScore(sequence.category, sequence.name) for label in STAGES}
    seconds = dict.fromkeys(STAGES, 0.0)
    for start in range(0, len(frames), _BLOCK):
        for label, model in models.items():
            with mock.patch.multiple(constants, **INNER[label]) if label in INNER else nullcontext():
                for frame in frames[start : start + _BLOCK]:
                    before = time.process_time()
                    mask = model.apply(frame.image)
                    seconds[label] += time.process_time() - before
                    if frame.truth is not None:
                        add_frame(scores[label], frame, mask, outside)
    return {label: (scores[label].metrics.f_measure, 1000 * seconds[label] / len(frames)) for label in STAGES}


def ablation(folder: Path, jobs: int, kept: Results) -> None:
    """Print what each stage brings and what it costs."""
    names = [one.key for one in find_sequences(folder)]
    keys = {name: kept.key(name, list(STAGES)) for name in names}
    new = [name for name in names if keys[name] not in kept.known]
    with ProcessPoolExecutor(jobs) as pool:
        for name, result in zip(new, pool.map(partial(take_turns, folder), new), strict=True):
            kept.keep(keys[name], result)
            print(f"  {name}", file=sys.stderr, flush=True)
    results = {name: kept.known[keys[name]] for name in names}
    print(f"{'':46}mean F   change  ms a frame   cost   most changed")
    whole = {name: result["everything"] for name, result in results.items()}
    whole_ms = np.mean([ms for _, ms in whole.values()])
    for label in STAGES:
        scores = {name: result[label][0] for name, result in results.items()}
        ms = np.mean([result[label][1] for result in results.values()])
        change = {name: scores[name] - whole[name][0] for name in names}
        most = max(change, key=lambda name: abs(change[name]))
        note = f"{most.split('/')[1]} {change[most]:+.3f}" if label != "everything" else ""
        print(f"{label:46}{mean_f(scores, names):.4f}  {np.mean(list(change.values())):+.4f}", end="")
        print(f"  {ms:8.2f}  {whole_ms - ms:+6.2f}   {note}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--results", type=Path, help="file of scores, made or gone on with")
    parser.add_argument("--constants", nargs="+", choices=CANDIDATES, default=list(CANDIDATES), metavar="NAME")
    parser.add_argument("--training", type=int, help="frames learned before the first that counts (all of them)")
    parser.add_argument("--ablation", action="store_true", help="what each stage brings, instead")
    arguments = parser.parse_args()
    if not os.environ.get("BGSUB_DATA"):
        sys.exit("skipped: set BGSUB_DATA to the folder of real footage (its cdnet/ is used)")
    unknown = [name for name in CANDIDATES if name not in ADAPTIVE_PARAMETERS]
    assert not unknown, unknown
    folder = Path(os.environ["BGSUB_DATA"]) / "cdnet"
    results = Results(arguments.results)
    try:
        if arguments.ablation:
            ablation(folder, arguments.jobs, results)
        else:
            leave_one_out(Scorer(folder, arguments.jobs, results), arguments.constants, arguments.training)
    except BgsubError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
