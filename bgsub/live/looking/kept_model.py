"""What a camera's model has learned, kept over restarts."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from bgsub.background.model import BackgroundModel
from bgsub.errors import BgsubError
from bgsub.live.clock import Clock
from bgsub.live.looking.watching import Watching

logger = logging.getLogger(__name__)

_EVERY = 600.0  # seconds
_FIRST = 60.0  # seconds of looking before a model is worth keeping


class KeptModel:
    """Saves a model now and then, and at the end.

    Parameters
    ----------
    path : Path
        Of the file; its folder is made.
    clock : Clock
        The time.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path, self._clock = path, clock
        self._next = clock.monotonic() + _FIRST
        self._thread: threading.Thread | None = None

    def tick(self, watching: Watching) -> None:
        """Save what was learned where it is time to, in a thread of its own."""
        if self._clock.monotonic() < self._next or (self._thread is not None and self._thread.is_alive()):
            return
        self._next = self._clock.monotonic() + _EVERY
        self._thread = threading.Thread(target=self._save, args=(watching.learned(),), name="bgsub-model", daemon=True)
        self._thread.start()

    def finish(self, watching: Watching) -> None:
        """Save what was learned, now."""
        if self._thread is not None:
            self._thread.join()
        self._save(watching.learned())

    def _save(self, model: BackgroundModel) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            model.save(self.path)
        except (BgsubError, OSError) as error:
            logger.warning("what was learned is not kept: %s", error)
