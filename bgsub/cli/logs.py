"""The log of bgsub on stderr, as quiet or as talkative as a command was asked to be."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime


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


class _Json(logging.Formatter):
    """A line of JSON: time in UTC, level, camera where it is of one, and the text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told = {"time": at, "level": record.levelname.lower(), "logger": record.name}
        if hasattr(record, "camera"):
            told["camera"] = record.camera
        return json.dumps({**told, "message": getattr(record, "text", record.getMessage())}, ensure_ascii=False)


def write_log_as_json() -> None:
    """Write each line of the log as a JSON object, after `set_verbosity`."""
    for handler in logging.getLogger("bgsub").handlers:
        handler.setFormatter(_Json())
