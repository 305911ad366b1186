"""The error of something that was told in vain, and would be again."""

from bgsub.errors import OutputError


class Refused(OutputError):
    """Whoever was told does not want it; to try again would change nothing."""
