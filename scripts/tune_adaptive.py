"""Choose the adaptive model's constants with one category of sequences left out at a time, and score it there.

    BGSUB_DATA=FOLDER python scripts/tune_adaptive.py [--jobs 2] [--ablation]

FOLDER/cdnet holds sequences in CDnet's layout. Every constant is tried at a few other values, one at a time, on every
sequence. Then, for each category, the values that raise the mean F of the *other* categories are taken together (if
they hold together; else the best one alone), and the category left out is scored with them: what a user's own footage
may expect. UCSD, whose two clips score from the first frames on, tests bootstrapping alone and is shown apart.

--ablation prints instead what each stage brings and costs: F and time with the stage switched off.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from bgsub import BackgroundSubtractor
from bgsub.background.parameters import ADAPTIVE_PARAMETERS
from bgsub.errors import BgsubError
from bgsub.evaluation.datasets import find_sequences
from bgsub.evaluation.scoring import evaluate
from bgsub.evaluation.sequences import LabelledSequence

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

_SURE_GAIN = 0.0005  # of the mean F; less is noise


@cache
def decoded(folder: Path, name: str) -> LabelledSequence:
    """Return a sequence with its frames in memory: each is gone through many times."""
    (sequence,) = (one for one in find_sequences(folder) if one.key == name)
    return sequence.decoded()


@cache
def compile_kernels() -> None:
    """Load or compile what every score needs, before a clock runs."""
    model = BackgroundSubtractor(threads=1)
    for frame in np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8):
        model.apply(frame)


def score_sequence(folder: Path, values: Values, name: str) -> tuple[float, float]:
    """Return F on a sequence and milliseconds a frame."""
    compile_kernels()
    score = evaluate(decoded(folder, name), BackgroundSubtractor(threads=1, **values))
    return score.metrics.f_measure, score.milliseconds or 0.0


class Scorer:
    """Scores sets of values on all sequences, each once."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self.folder = folder
        self.names = [one.key for one in find_sequences(folder)]
        self.pool = ProcessPoolExecutor(jobs)
        self.known: dict[tuple, tuple[Scores, float]] = {}

    def __call__(self, values: Values) -> Scores:
        """Return F by sequence."""
        return self.with_time(values)[0]

    def with_time(self, values: Values) -> tuple[Scores, float]:
        """Return F by sequence, and the mean time of a frame in milliseconds."""
        key = tuple(sorted(values.items()))
        if key not in self.known:
            results = list(self.pool.map(partial(score_sequence, self.folder, values), self.names))
            scores = {name: f for name, (f, _) in zip(self.names, results, strict=True)}
            self.known[key] = scores, float(np.mean([time for _, time in results]))
            label = ", ".join(f"{k}={v:g}" for k, v in values.items()) or "defaults"
            print(f"  {mean_f(scores, self.names):.4f}  {label}", file=sys.stderr, flush=True)
        return self.known[key]


def mean_f(scores: Scores, names: list[str]) -> float:
    """Return the mean F over sequences."""
    return float(np.mean([scores[name] for name in names]))


def choose(score: Scorer, names: list[str]) -> Values:
    """Return the values that are best on the sequences `names`, found one constant at a time."""
    reference = mean_f(score({}), names)
    gains = []
    for constant, candidates in CANDIDATES.items():
        gain, value = max((mean_f(score({constant: v}), names) - reference, v) for v in candidates)
        if gain > _SURE_GAIN:
            gains.append((gain, constant, value))
    gains.sort(reverse=True)
    chosen: Values = {}
    for _, constant, value in gains:  # each must still help beside those taken before
        trial = {**chosen, constant: value}
        if mean_f(score(trial), names) > mean_f(score(chosen), names):
            chosen = trial
    return chosen


def leave_one_out(score: Scorer) -> None:
    """Print F on each category with the constants chosen without it."""
    categories = {key: list(names) for key, names in itertools.groupby(score.names, lambda n: n.split("/")[0])}
    print(f"{'left out':20} {'sequence':18} defaults  chosen without it")
    pairs: dict[str, list[tuple[float, float]]] = {}
    for category, inside in categories.items():
        chosen = choose(score, [name for name in score.names if name not in inside])
        for name in inside:
            pair = score({})[name], score(chosen)[name]
            pairs.setdefault("UCSD" if category == "UCSD" else "others", []).append(pair)
            print(f"{category:20} {name.split('/')[1]:18} {pair[0]:8.4f}  {pair[1]:8.4f}")
        print(f"{'':20} {', '.join(f'{k}={v:g}' for k, v in chosen.items()) or 'the defaults'}", flush=True)
    pairs["all"] = [pair for group in list(pairs.values()) for pair in group]
    for label, group in pairs.items():
        print(f"mean F, {label:31} {np.mean([a for a, _ in group]):8.4f}  {np.mean([b for _, b in group]):8.4f}")


def ablation(score: Scorer) -> None:
    """Print what each stage brings and what it costs."""
    whole, _ = score.with_time(STAGES["everything"])
    print(f"{'':46}mean F   change  ms a frame   most changed")
    for label, values in STAGES.items():
        scores, time = score.with_time(values)
        change = {name: scores[name] - whole[name] for name in score.names}
        most = max(change, key=lambda name: abs(change[name]))
        note = f"{most.split('/')[1]} {change[most]:+.3f}" if values else ""
        mean = mean_f(scores, score.names)
        print(f"{label:46}{mean:.4f}  {mean - mean_f(whole, score.names):+.4f}  {time:8.2f}   {note}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--ablation", action="store_true", help="what each stage brings, instead")
    arguments = parser.parse_args()
    if not os.environ.get("BGSUB_DATA"):
        sys.exit("skipped: set BGSUB_DATA to the folder of real footage (its cdnet/ is used)")
    unknown = [name for name in CANDIDATES if name not in ADAPTIVE_PARAMETERS]
    assert not unknown, unknown
    try:
        score = Scorer(Path(os.environ["BGSUB_DATA"]) / "cdnet", arguments.jobs)
        (ablation if arguments.ablation else leave_one_out)(score)
    except BgsubError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main()
