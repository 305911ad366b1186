"""The log of bgsub on stderr, as quiet or as talkative as a command was asked to be."""

from __future__ import annotations

import logging
import sys


class _StderrHandler(logging.StreamHandler):
    """Writes to whatever sys.stderr is now: a progress bar may stand in front of it."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        self.stream = sys.stderr
        super().emit(record)


def set_verbosity(verbose: bool, quiet: bool) -> None:
    """Send bgsub's log to stderr: information by default, errors only with `quiet`, everything with `verbose`."""
    logger = logging.getLogger("bgsub")
    logger.setLevel(logging.DEBUG if verbose else logging.ERROR if quiet else logging.INFO)
    handler = _StderrHandler()
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s" if verbose else "%(message)s"))
    logger.handlers[:] = [handler]
    logger.propagate = False
