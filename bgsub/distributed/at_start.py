"""What a worker of this machine does first: Ctrl-C, which reaches its whole group of processes, is its parent's matter.

Dask imports it in each worker process (``preload``).
"""

from __future__ import annotations

import contextlib
import signal

with contextlib.suppress(ValueError):  # not in the main thread: nothing to ignore
    signal.signal(signal.SIGINT, signal.SIG_IGN)
