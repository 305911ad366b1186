"""``python -m bgsub``."""

from bgsub.cli import main

main()
