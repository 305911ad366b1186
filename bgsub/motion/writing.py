"""The files of one timeline: what is written of it beside reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bgsub.errors import OutputError
from bgsub.formats import WRITABLE_VIDEOS
from bgsub.jobs.batch import make_folder
from bgsub.motion.clips.spans import Clip
from bgsub.motion.job import ScanJob
from bgsub.motion.outputs import (
    CHAPTERS,
    EVENT,
    GRAPH,
    HEATMAP,
    MASKS,
    OVERLAY,
    RESULT,
    THUMBNAIL,
    TRACKS,
    ScanOutputs,
    write_result,
)
from bgsub.motion.results import Scanned
from bgsub.outputs import check_output

if TYPE_CHECKING:
    import numpy as np

    from bgsub.motion.clips.film import MaskFilm
    from bgsub.motion.clips.masks import KeptMasks
    from bgsub.motion.clips.picturing import Drawing
    from bgsub.video.frame import Frame, VideoInfo

# What writes a file is imported where it is wanted: a scan without files shall not wait for it.


class Writing:
    """Writes the files of one timeline, those of its masks while it is scanned, the others from its result.

    A context manager: what is unfinished at its end is removed.

    Parameters
    ----------
    base : Path
        Folder and beginning of their names.
    job : ScanJob
        How the timeline is scanned.
    outputs : ScanOutputs
        What is written.
    replace : bool
        Files that exist are this timeline's own, and are replaced, whatever `ScanOutputs.overwrite` says.
    keep : sequence of str
        Recordings that are called as clips are, and are never replaced.

    Attributes
    ----------
    paths : list of Path
        What is written and whole.
    clips : list of Clip
        Of these, with their real beginnings and ends.
    """

    def __init__(
        self, base: Path, job: ScanJob, outputs: ScanOutputs, *, replace: bool = False, keep: Sequence[str] = ()
    ) -> None:
        self.paths: list[Path] = []
        self.clips: list[Clip] = []
        self._base, self._job, self._outputs, self._keep = base, job, outputs, keep
        self._replace = replace or outputs.overwrite
        self._stack = ExitStack()
        self._masks: KeptMasks | None = None
        self._mask_film: MaskFilm | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def takes_masks(self) -> bool:
        """Whether `take` has to be called."""
        return self._outputs.mask_video or self._keeps_masks

    @property
    def passes(self) -> int:
        """How often the whole recording is read."""
        return 2 if self._outputs.overlay_video else 1

    @property
    def _keeps_masks(self) -> bool:
        drawn = self._outputs.clips == "exact" and "mask" in self._outputs.draw
        return self._outputs.overlay_video or drawn

    def check(self, base: Path | None = None) -> None:
        """Raise `OutputError` if files are there that may not be replaced: to ask before the scan.

        Parameters
        ----------
        base : Path, optional
            Folder and beginning of their names where they go to in the end, if that is elsewhere.
        """
        base = base or self._base
        outputs, parent = self._outputs, base.parent
        if self._replace or not parent.is_dir():
            return
        endings = {RESULT: outputs.result, HEATMAP: outputs.heatmap, TRACKS: outputs.tracks}
        endings |= {MASKS: outputs.mask_video, OVERLAY: outputs.overlay_video, GRAPH: outputs.graph}
        endings |= {CHAPTERS: outputs.chapters}
        named = {base.name + ending for ending, wanted in endings.items() if wanted}
        beginning, of_events = base.name + EVENT, [*WRITABLE_VIDEOS] * bool(outputs.clips)
        of_events += [THUMBNAIL] * outputs.thumbnails
        for path in sorted(parent.iterdir()):
            if path.name in named or (path.name.startswith(beginning) and path.suffix in of_events):
                raise OutputError(f"{path} exists; pass --overwrite or choose another name")

    def begin(self, info: VideoInfo) -> None:
        """Get ready for the masks of a source that was opened to be looked at."""
        if self.takes_masks:
            make_folder(self._base.parent)
        if self._outputs.mask_video:
            from bgsub.motion.clips.film import MaskFilm

            self._mask_film = self._stack.enter_context(MaskFilm(self._free(MASKS), info))
        if self._keeps_masks:
            from bgsub.motion.clips.masks import KeptMasks

            self._masks = self._stack.enter_context(KeptMasks(self._base.parent, info))

    def take(self, frame: Frame, mask: np.ndarray) -> None:
        """Take the mask of a frame, as it is looked at."""
        if self._mask_film is not None:
            self._mask_film.write(frame, mask)
        if self._masks is not None:
            self._masks.add(frame.index, mask)

    def write(self, scanned: Scanned, progress: Callable[[int], None] | None = None) -> None:
        """Write what is wanted of a result; the result itself comes last, for it says that the rest is there.

        Parameters
        ----------
        scanned : Scanned
            The result.
        progress : callable, optional
            Called with frames read so far, those of the scan too.
        """
        outputs = self._outputs
        if scanned.facts is None or not outputs.any:
            return
        make_folder(self._base.parent)
        if self._mask_film is not None and self._mask_film.finish():
            self.paths.append(self._mask_film.path)
        if outputs.overlay_video and self._masks is not None:
            self._write_overlay(scanned, self._masks, progress)
        if outputs.clips:
            self._write_clips(scanned)
        if outputs.chapters:
            from bgsub.motion.clips.chaptered import write_chaptered

            path = self._free(CHAPTERS)
            if write_chaptered(scanned, path, excerpt=self._job.excerpt):
                self.paths.append(path)
        if outputs.thumbnails:
            from bgsub.motion.thumbnails import write_thumbnails

            for path in write_thumbnails(scanned, self._base, boxes=True, path=True, overwrite=self._replace):
                self.paths.append(path)
        if outputs.heatmap:
            from bgsub.motion.heatmap import write_heatmap

            path = self._free(HEATMAP)
            if write_heatmap(path, scanned):
                self.paths.append(path)
        if outputs.graph:
            from bgsub.motion.graph import write_graph  # with matplotlib, which takes a while

            path = self._free(GRAPH)
            if write_graph(path, scanned):
                self.paths.append(path)
        if outputs.tracks:
            from bgsub.motion.motchallenge import write_motchallenge

            path = self._free(TRACKS)
            write_motchallenge(path, scanned.tracks)
            self.paths.append(path)
        if outputs.result:
            path = self._free(RESULT)
            write_result(path, scanned, self.clips)
            self.paths.append(path)

    def _write_overlay(self, scanned: Scanned, masks: KeptMasks, progress: Callable[[int], None] | None) -> None:
        from bgsub.motion.clips.overlay import write_overlay

        def told(count: int) -> None:
            if progress is not None:
                progress(scanned.tally.read + count)

        path, drawing = self._free(OVERLAY), drawing_of(self._outputs.draw)
        if write_overlay(scanned, path, masks, draw=drawing, excerpt=self._job.excerpt, progress=told):
            self.paths.append(path)

    def _write_clips(self, scanned: Scanned) -> None:
        from bgsub.motion.clips.writing import write_clips

        def done(clip: Clip, _: int) -> None:
            self.clips.append(clip)
            self.paths.append(clip.path)

        self.clips = write_clips(
            scanned,
            self._job.rule,
            self._base.parent,
            copy=self._outputs.clips == "copy",
            draw=drawing_of(self._outputs.draw),
            excerpt=self._job.excerpt,
            name=self._base.name,
            overwrite=self._replace,
            keep=self._keep,
            masks=self._masks,
            on_clip=done,
        )

    def _free(self, ending: str) -> Path:
        """Return the path of an output, which may not be there unless it may be replaced."""
        path = self._base.with_name(self._base.name + ending)
        return check_output(path, suffixes=(path.suffix,), overwrite=self._replace)


def drawing_of(words: Sequence[str]) -> Drawing:
    """Return what is drawn on clips from the words of `ScanOutputs.draw`."""
    from bgsub.motion.clips.picturing import Drawing

    return Drawing(**{"time" if word == "timecode" else word: True for word in words})
