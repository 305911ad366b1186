"""The errors of something that was told in vain, by what is to be done about it."""

from bgsub.errors import OutputError


class Refused(OutputError):
    """Whoever was told does not want it; to try again would change nothing."""


class Away(OutputError):
    """Nobody is there who could take it: it is tried again for as long as it is of use.

    Parameters
    ----------
    message : str
        What is wrong.
    later : float or None
        Seconds after which whoever was told wants to be tried again, if they said so.
    """

    def __init__(self, message: str, later: float | None = None) -> None:
        super().__init__(message)
        self.later = later
