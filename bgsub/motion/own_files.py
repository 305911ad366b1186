"""What earlier scans have left among recordings: a clip is no recording to scan."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from bgsub.errors import SourceError
from bgsub.jobs.inputs import Input
from bgsub.jobs.manifest import Manifest
from bgsub.motion.folder import MANIFEST
from bgsub.motion.outputs import EVENT, RESULT
from bgsub.stores.addresses import is_stored
from bgsub.stores.store_paths import as_path

logger = logging.getLogger(__name__)

_CLIP = re.compile(rf"(.+){re.escape(EVENT)}\d+\.\w+", re.DOTALL)


def without_own(inputs: Sequence[Input], folder: Path | None, reel: str | None = None) -> list[Input]:
    """Return recordings without the clips that scans into a folder have made, and without the reel.

    What the folder's list knows as a recording stays, whatever it is called.

    Parameters
    ----------
    inputs : sequence of Input
        As `bgsub.jobs.inputs.find_inputs` finds them.
    folder : Path or None
        Of results.
    reel : str, optional
        Which will be written.

    Raises
    ------
    SourceError
        When nothing else is there.
    OutputError
        When the folder cannot be used, or is in use.
    """
    results: set[Path] = set()
    recordings: set[str] = set()
    if folder is not None and (is_stored(folder) or (folder / MANIFEST).exists()):
        with Manifest(folder, MANIFEST) as manifest:
            for entry in manifest:
                recordings.add(entry.input)
                results |= {(folder / name).absolute() for name in entry.outputs if name.endswith(RESULT)}

    def is_own(item: Input) -> bool:
        if not item.is_path or item.pictures or item.identity in recordings:
            return False
        path = as_path(item.source).absolute()
        named = _CLIP.fullmatch(path.name)
        return path == (reel and Path(reel).absolute()) or (
            named is not None and path.with_name(named[1] + RESULT) in results
        )

    own = [item for item in inputs if is_own(item)]
    if own and len(own) == len(inputs):
        raise SourceError(f"cannot scan {own[0].shown}: it was made by an earlier scan; give the recordings")
    if own:
        more = f", and {len(own) - 1} more like it" if len(own) > 1 else ""
        logger.info("%s is left out%s: a clip of an earlier scan, no recording", own[0].shown, more)
    return [item for item in inputs if item not in own] if own else list(inputs)
