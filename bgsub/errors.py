"""What can go wrong, said in one line: what, where, what to do.

Every error that bgsub raises on purpose is a `BgsubError`; the command line prints its text and exits with 1.
"""


class BgsubError(Exception):
    """Base class of the errors that bgsub raises on purpose."""


class ParameterError(BgsubError, ValueError):
    """A parameter or an argument out of its bounds; the text names it, its value and the bounds."""


class SourceError(BgsubError):
    """A video source that cannot be opened or read."""


class OutputError(BgsubError):
    """An output that cannot be created or written."""


class MissingExtraError(BgsubError, ImportError):
    """A library that is installed on demand is missing; the text says what to type."""


class ModelFileError(BgsubError):
    """A model file that is truncated, altered, of another version or of another kind."""
