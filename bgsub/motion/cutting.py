"""Long recordings are cut into pieces, which any crew does as it does whole ones, and put together again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from bgsub.errors import BgsubError, ParameterError
from bgsub.motion.job import ScanJob
from bgsub.motion.outputs import ScanOutputs
from bgsub.motion.pieces import WARM_UP, Part, Piece, join_parts, plan_pieces
from bgsub.motion.piecework import span_of
from bgsub.motion.results import Scanned
from bgsub.motion.working import Finished, ScanTask, check, write

logger = logging.getLogger(__name__)

Watch = Callable[[ScanTask, int, int | None], None]
Crew = Callable[[Sequence[ScanTask], ScanOutputs, Watch | None], Iterator[Finished]]
"""Does tasks, here or elsewhere, and yields what comes of each as it ends."""


def cut(job: ScanJob, length: float, warm_up: float = WARM_UP) -> list[Piece]:
    """Return the pieces of a recording; one where it is short, or cannot be cut.

    Parameters
    ----------
    job : ScanJob
        What is scanned, and which part of it.
    length : float
        Seconds of a piece.
    warm_up : float
        Seconds that a model learns before its piece.

    Raises
    ------
    SourceError
        When it cannot be opened.
    ParameterError
        When a length is out of its bounds, or the scan ends after some events.
    """
    if job.rule.max_events is not None:
        raise ParameterError("a scan that ends after some events is not cut into pieces: leave one of them out")
    excerpt, whole = job.excerpt, plan_pieces((), length, warm_up=warm_up)
    if len(job.sources) > 1 or excerpt.fps is not None or excerpt.size is not None:
        logger.warning("%s is scanned uncut: its times are not those of one file", job.sources[0])
        return whole
    from bgsub.video.key_frames import key_times  # with PyAV, which is loaded where something is cut

    start, end = span_of(job)
    times = key_times(job.sources[0], excerpt.stream)
    if not times:
        logger.warning("%s is scanned uncut: nobody can tell where its key frames are", job.sources[0])
    return plan_pieces(times, length, start=start, end=end, warm_up=warm_up) if times else whole


def in_pieces(crew: Crew, length: float, warm_up: float = WARM_UP) -> Crew:
    """Return a crew that does the pieces of long recordings at the same time, and yields recordings.

    Parameters
    ----------
    crew : callable
        Does tasks; each piece is one, a `ScanTask` with a `piece`. Files are written in this process.
    length : float
        Seconds of a piece; recordings up to half as long again are not cut.
    warm_up : float
        Seconds that a model learns before its piece.
    """

    def done(tasks: Sequence[ScanTask], outputs: ScanOutputs, watch: Watch | None) -> Iterator[Finished]:
        if outputs.of_masks:
            raise ParameterError("masks are drawn of a scan in one go: leave out pieces, or what is made of masks")
        gathered = {task.position: _Gathered(task, _pieces_of(task, outputs, length, warm_up)) for task in tasks}
        units = [unit for task in tasks for unit in gathered[task.position].units]

        def seen(unit: ScanTask, read: int, total: int | None) -> None:
            if watch is not None:
                watch(*gathered[unit.position].progress(unit, read, total))

        for one in crew(units, outputs, seen):
            whole = gathered[one.task.position].take(one, outputs)
            if whole is not None:
                yield whole

    return done


def _pieces_of(task: ScanTask, outputs: ScanOutputs, length: float, warm_up: float) -> list[Piece]:
    """Return the pieces of a recording; none of one that is short, or cannot be scanned, which who does it will say."""
    if task.input.error or not task.input.is_path:
        return []
    try:
        check(task, outputs)
        pieces = cut(task.job, length, warm_up)
    except (BgsubError, OSError) as error:
        if isinstance(error, ParameterError):
            raise
        return []
    return pieces if len(pieces) > 1 else []


@dataclass
class _Gathered:
    """What has come of a recording's pieces so far."""

    task: ScanTask
    pieces: list[Piece]
    parts: list[Part] = field(default_factory=list)
    errors: dict[int, BaseException] = field(default_factory=dict)  # of pieces, by number
    frames: dict[int, tuple[int, int | None]] = field(default_factory=dict)  # read, and to expect
    ended: int = 0
    told: bool = False

    @property
    def units(self) -> list[ScanTask]:
        """What a crew gets to do."""
        return [replace(self.task, piece=piece) for piece in self.pieces] or [self.task]

    def progress(self, unit: ScanTask, read: int, total: int | None) -> tuple[ScanTask, int, int | None]:
        """Return how far the recording is."""
        self.frames[0 if unit.piece is None else unit.piece.number] = (read, total)
        known = [expected for _, expected in self.frames.values() if expected is not None]
        expected = round(sum(known) / len(known) * max(1, len(self.pieces))) if known else None
        return self.task, sum(count for count, _ in self.frames.values()), expected

    def take(self, one: Finished, outputs: ScanOutputs) -> Finished | None:
        """Take what came of a unit; return what came of the recording, once it is known."""
        if one.task.piece is None:
            return one
        self.ended += 1
        if one.part is not None:
            self.parts.append(one.part)
        elif one.error is not None:
            self.errors[one.task.piece.number] = one.error
            if not isinstance(one.error, BgsubError) and not self.told:
                self.told = True  # an interruption, of which one word is enough
                return Finished(self.task, self._joined(), (), one.error)
        if self.told or self.ended < len(self.pieces):
            return None
        return write(self.task, outputs, self._joined())

    def _joined(self) -> Scanned:
        """Return what the pieces up to the first that failed have found."""
        first = min(self.errors, default=len(self.pieces))
        error = str(self.errors[first]) if self.errors else None
        parts = [part for part in self.parts if part.piece.number < first]
        if not any(part.piece.number == 0 for part in parts):
            return Scanned(None, error=error, source=self.task.job.sources)
        scanned = join_parts(self.task.job, parts)
        return scanned if error is None else replace(scanned, error=error)
