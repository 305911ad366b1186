"""The files of one timeline: what is written of it beside reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bgsub.errors import OutputError
from bgsub.formats import WRITABLE_VIDEOS
from bgsub.jobs.batch import make_folder
from bgsub.motion.clips.picturing import Drawing
from bgsub.motion.clips.spans import Clip
from bgsub.motion.clips.writing import write_clips
from bgsub.motion.heatmap import write_heatmap
from bgsub.motion.job import ScanJob
from bgsub.motion.motchallenge import write_motchallenge
from bgsub.motion.outputs import EVENT, HEATMAP, RESULT, THUMBNAIL, TRACKS, ScanOutputs, write_result
from bgsub.motion.results import Scanned
from bgsub.motion.thumbnails import write_thumbnails
from bgsub.outputs import check_output


class Writing:
    """Writes the files of one timeline.

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

    def check(self) -> None:
        """Raise `OutputError` if files are there that may not be replaced: to ask before the scan."""
        outputs, parent = self._outputs, self._base.parent
        if self._replace or not parent.is_dir():
            return
        wanted = (RESULT, outputs.result), (HEATMAP, outputs.heatmap), (TRACKS, outputs.tracks)
        for ending, is_wanted in wanted:
            if is_wanted:
                self._free(ending)
        beginning, endings = self._base.name + EVENT, [*WRITABLE_VIDEOS] * bool(outputs.clips)
        endings += [THUMBNAIL] * outputs.thumbnails
        for path in sorted(parent.iterdir()):
            if path.name.startswith(beginning) and path.suffix in endings:
                raise OutputError(f"{path} exists; pass --overwrite or choose another name")

    def write(self, scanned: Scanned) -> None:
        """Write what is wanted of a result; the result itself comes last, for it says that the rest is there."""
        outputs = self._outputs
        if scanned.facts is None or not outputs.any:
            return
        make_folder(self._base.parent)
        if outputs.clips:
            self._write_clips(scanned)
        if outputs.thumbnails:
            for path in write_thumbnails(scanned, self._base, boxes=True, path=True, overwrite=self._replace):
                self.paths.append(path)
        if outputs.heatmap:
            path = self._free(HEATMAP)
            if write_heatmap(path, scanned):
                self.paths.append(path)
        if outputs.tracks:
            path = self._free(TRACKS)
            write_motchallenge(path, scanned.tracks)
            self.paths.append(path)
        if outputs.result:
            path = self._free(RESULT)
            write_result(path, scanned, self.clips)
            self.paths.append(path)

    def _write_clips(self, scanned: Scanned) -> None:
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
            on_clip=done,
        )

    def _free(self, ending: str) -> Path:
        """Return the path of an output, which may not be there unless it may be replaced."""
        path = self._base.with_name(self._base.name + ending)
        return check_output(path, suffixes=(path.suffix,), overwrite=self._replace)


def drawing_of(words: Sequence[str]) -> Drawing:
    """Return what is drawn on clips from the words of `ScanOutputs.draw`."""
    return Drawing(**{"time" if word == "timecode" else word: True for word in words})
