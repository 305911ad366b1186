"""Messages on their way from a camera's process to its supervisor: who looks never waits for who listens."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from bgsub.live.messages import FromCamera, Shown, Status

_MOST = 1000  # messages that wait; a supervisor that takes none of so many is gone, or will kill this process


class Outbox:
    """Sends messages in a thread of its own, in their order; of pictures and states only the newest waits.

    Parameters
    ----------
    deliver : callable
        Called with each message, and may wait.
    on_break : callable
        Called when nobody takes messages any more.
    """

    def __init__(self, deliver: Callable[[FromCamera], None], on_break: Callable[[], None]) -> None:
        self._deliver, self._on_break = deliver, on_break
        self._waiting: deque[FromCamera] = deque()
        self._changed = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._run, name="bgsub-outbox", daemon=True)
        self._thread.start()

    def send(self, message: FromCamera) -> None:
        """Let a message go; it is not waited for. Any thread may call it."""
        with self._changed:
            if isinstance(message, Shown | Status):
                self._waiting = deque(old for old in self._waiting if not _is_like(old, message))
            if len(self._waiting) >= _MOST:
                self._waiting.popleft()
            self._waiting.append(message)
            self._changed.notify()

    def close(self, patience: float) -> None:
        """Send what waits, for so many seconds at most, and end."""
        with self._changed:
            self._over = True
            self._changed.notify()
        self._thread.join(patience)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._over:
                    self._changed.wait()
                if not self._waiting:
                    return
                message = self._waiting.popleft()
            try:
                self._deliver(message)
            except (OSError, ValueError):  # the supervisor is gone
                self._on_break()
                return


def _is_like(old: FromCamera, new: FromCamera) -> bool:
    """Return whether a message that waits is of no use beside a newer one."""
    if isinstance(new, Shown):
        return isinstance(old, Shown) and old.view == new.view
    return isinstance(old, Status) and isinstance(new, Status)
