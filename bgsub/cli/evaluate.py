"""``bgsub evaluate``: score masks against ground truth, ours or a peer's."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgsub import __version__
from bgsub.cli.help import Command, section
from bgsub.cli.logs import set_verbosity
from bgsub.cli.options import FilePath, needs_plots, verbosity_options
from bgsub.cli.progress import counting_bar
from bgsub.cli.scheduler import by_worker, connected, scheduler_options
from bgsub.cli.signals import ended_by_signals
from bgsub.errors import ParameterError

if TYPE_CHECKING:
    from bgsub.distributed.spreading import Sight
    from bgsub.evaluation.running import Entry, Plan, SequenceResult
    from bgsub.evaluation.scoring import SequenceScore
    from bgsub.evaluation.sequences import LabelledSequence

_SAMPLES = 6  # frames of each sequence in a report
_PATH = FilePath()

_EXAMPLES = """
bgsub evaluate sample_videos
bgsub evaluate dataset --method adaptive --method opencv-knn --report report --jobs 2
bgsub evaluate dataset/baseline --method adaptive:threshold=7,min_area=30 --csv scores.csv
bgsub evaluate dataset --masks results --sequence "high*"
bgsub evaluate dataset --results results --json
"""

_what = section("What is scored")
_outputs = section("Outputs")


@click.command(name="evaluate", cls=Command, examples=_EXAMPLES)
@click.argument("dataset", type=_PATH)
@_what(
    "--method",
    "methods",
    multiple=True,
    metavar="NAME[:KEY=VALUE,...]",
    help="Repeatable: adaptive (default), mog2, opencv-mog2, opencv-knn; where installed gsoc, cnt, lsbp, mog, "
    "pybgs:ALGORITHM.",
)
@_what(
    "--results",
    type=_PATH,
    multiple=True,
    metavar="DIR",
    help="Masks made elsewhere, or by run: CATEGORY/SEQUENCE/bin000001.png; of one sequence DIR/bin000001.png; of "
    "clips DIR/NAME.mask.mkv. Repeatable.",
)
@_what("--category", "categories", multiple=True, metavar="GLOB", help="Only these categories; repeatable.")
@_what("--sequence", "names", multiple=True, metavar="GLOB", help="Only these sequences; repeatable.")
@_outputs(
    "--report",
    type=_PATH,
    callback=needs_plots,
    metavar="DIR",
    help="Page with figures, curves and pictures: DIR/index.html.",
)
@_outputs("--csv", "csv_file", type=_PATH, metavar="FILE", help="A row for each method and sequence.")
@_outputs(
    "--masks",
    type=_PATH,
    metavar="DIR",
    help="All masks, 0 and 255, as CDnet's server takes them: CATEGORY/SEQUENCE/bin000001.png.",
)
@_outputs("--overwrite", is_flag=True, help="Replace outputs that exist.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    metavar="N",
    default=1,
    show_default=True,
    help="Sequences at a time, each in its own process. More than one disturbs the times that are measured.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    metavar="N",
    default=1,
    show_default=True,
    help="Threads of each model.",
)
@scheduler_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@verbosity_options
def command(dataset: str, methods: tuple[str, ...], results: Sequence[str], **options: Any) -> None:
    """Score masks against the ground truth of DATASET by the protocol of changedetection.net.

    DATASET is a folder in CDnet's layout (all of it, a category or a sequence), a folder of clips with NAME.truth.mkv
    beside NAME.mp4, or one such clip. Only the mask value 255 is foreground; shadows are background. Overall figures
    are means over categories of means over their sequences. Times are those of the model alone. Parameters are
    those of bgsub.BackgroundSubtractor (adaptive) and bgsub.MOG2; OpenCV and other peers take their own names
    (opencv-mog2:varThreshold=25), and grey frames as BGR.
    """
    from bgsub.evaluation.datasets import find_sequences
    from bgsub.evaluation.results import MethodResult, write_csv

    set_verbosity(options["verbose"], options["quiet"])
    if options["scheduler"]:  # workers stand in other folders
        dataset, *results = (str(Path(name).absolute()) for name in (dataset, *results))
        options["masks"] = options["masks"] and str(Path(options["masks"]).absolute())
    sequences = find_sequences(dataset, categories=options["categories"], names=options["names"])
    plan = _plan(dataset, methods, results, options, single=len(sequences) == 1)
    with ended_by_signals():
        per_sequence = _evaluate(dataset, sequences, plan, options)
    scored = [MethodResult(entry.label, [scores[i] for scores in per_sequence]) for i, entry in enumerate(plan.entries)]
    if options["csv_file"]:
        write_csv(options["csv_file"], scored)
    if options["as_json"]:
        click.echo(json.dumps([result.as_dict() for result in scored]))
    else:
        from bgsub.cli.score_tables import print_scores

        print_scores(scored)
    if not options["quiet"] and options["report"]:
        click.echo(f"  wrote {Path(options['report']) / 'index.html'}", err=True)


def _plan(
    dataset: str, methods: tuple[str, ...], results: Sequence[str], options: dict[str, Any], *, single: bool
) -> Plan:
    """Return what is to be done with one sequence or more; raise now for what could only fail later."""
    from bgsub.background.methods import DEFAULT_METHOD
    from bgsub.evaluation.methods import parse_method
    from bgsub.evaluation.running import Plan
    from bgsub.evaluation.stored import StoredMasks
    from bgsub.outputs import check_output

    chosen = [parse_method(text) for text in methods or (() if results else (DEFAULT_METHOD,))]
    for method in chosen:
        method.create()  # is it installed, and are its parameters right?
    entries: list[Entry] = [*chosen, *(StoredMasks(Path(folder), single) for folder in results)]
    labels = [entry.label for entry in entries]
    twins = {label for label in labels if labels.count(label) > 1}
    if twins:
        raise ParameterError(f"{min(twins)} is given twice: give each method and folder once, by a name of its own")
    if options["masks"] and not chosen:
        raise click.UsageError("--masks writes what a --method makes: add one")
    common = {"overwrite": options["overwrite"], "source": dataset}
    for name in ("report", "masks"):
        if options[name]:
            check_output(f"{options[name]}/", folder=True, **common)
    if options["csv_file"]:
        check_output(options["csv_file"], suffixes=(".csv",), **common)
    return Plan(
        entries=entries,
        threads=options["threads"],
        samples=_SAMPLES if options["report"] else 0,
        masks=Path(options["masks"]) if options["masks"] else None,
    )


def _evaluate(
    dataset: str, sequences: Sequence[LabelledSequence], plan: Plan, options: dict[str, Any]
) -> list[list[SequenceScore]]:
    """Evaluate everything, write the report, and return the scores of each sequence."""
    from bgsub.evaluation.results import MethodResult

    labels = [entry.label for entry in plan.entries]
    report = None
    if options["report"]:
        from bgsub.plots.report import Report

        settings = {entry.label: entry.settings() for entry in plan.entries}
        title = f"Evaluation on {Path(dataset).resolve().name}"
        report = Report(Path(options["report"]), title, labels, made_by=f"bgsub {__version__}", settings=settings)
    per_sequence = []
    with _evaluated(dataset, sequences, plan, options) as evaluated:
        for result in evaluated:
            per_sequence.append(result.scores)
            if report is not None:
                report.add(result)
    if report is not None:
        report.finish([MethodResult(label, [s[i] for s in per_sequence]) for i, label in enumerate(labels)])
    return per_sequence


@contextlib.contextmanager
def _evaluated(
    dataset: str, sequences: Sequence[LabelledSequence], plan: Plan, options: dict[str, Any]
) -> Iterator[Iterator[SequenceResult]]:
    """Yield the results of each sequence, in order, with a bar that shows how far they are."""
    from bgsub.evaluation.running import evaluate_all

    n_frames = _n_frames(sequences)
    total = None if n_frames is None else len(plan.entries) * n_frames
    with contextlib.ExitStack() as stack:
        show = stack.enter_context(counting_bar("evaluating", total, options["quiet"], "frames"))
        if options["scheduler"] is None:
            evaluated = evaluate_all(sequences, plan, jobs=options["jobs"], progress=show)
            yield stack.enter_context(contextlib.closing(evaluated))
            return
        from bgsub.distributed.evaluating import evaluate_on
        from bgsub.distributed.seeing import check_sight
        from bgsub.jobs.batch import make_folder

        client = stack.enter_context(connected(options, workers=options["jobs"], threads=options["threads"]))
        masks = plan.masks
        if masks is not None:
            make_folder(masks)
        check_sight(client, [dataset], masks)
        frames = 0

        def progress(done: int) -> None:
            nonlocal frames
            frames = done

        def on_sight(sights: Sequence[Sight]) -> None:
            if show is not None:
                show(frames, "", by_worker(sights))

        there = evaluate_on(client, sequences, plan, progress=progress, on_sight=on_sight)
        yield stack.enter_context(contextlib.closing(there))


def _n_frames(sequences: Sequence[LabelledSequence]) -> int | None:
    """Return how many frames there are; None where nobody knows."""
    counts = [sequence.frame_count for sequence in sequences]
    return None if None in counts else sum(filter(None, counts))
