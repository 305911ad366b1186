"""People, through the services that Apprise knows; with the picture of an event."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bgsub.errors import ParameterError
from bgsub.extras import explained
from bgsub.live.one_thread import OneThread
from bgsub.live.telling.occasions import Occasion
from bgsub.live.telling.refusal import Away
from bgsub.live.telling.steadying import GRACE
from bgsub.live.telling.waiting import FOR_PEOPLE

_PATIENCE = 60.0  # seconds for one service


_STATES = (("camera_lost", "camera_found"), ("trouble",))  # of which the newest is what people want to know


class PeopleChannel:
    """Tells people of events that are over, of cameras, and of trouble, through one service.

    A storm of events is no storm of messages: within a pause one event of a camera is told, and the next one after it
    says how many there were; and the same trouble of several cameras is told once. What was said of a camera, or of
    trouble, that waits still when it is otherwise by now is not told any more.

    Parameters
    ----------
    address : str
        As Apprise has it. It holds secrets: only the name of the service is ever shown.
    directory : Path
        Of recordings.
    pause : float
        Seconds.
    name : str
        As the log calls it.
    monotonic : callable, optional
        The time.

    Raises
    ------
    ParameterError
        When Apprise does not know an address.
    MissingExtraError
        When it is not installed.
    """

    keeps, grace = FOR_PEOPLE, GRACE

    def __init__(
        self,
        address: str,
        directory: Path,
        pause: float,
        name: str = "apprise",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        with explained("apprise, under tell,"):
            import apprise
        for library in ("apprise", "urllib3"):  # their lines have addresses in them
            logging.getLogger(library).setLevel(logging.CRITICAL)
        self.name = name
        self._service: Any = apprise.Apprise()
        if not self._service.add(address):
            raise ParameterError(f"{name}: no service is known by this address; see Apprise's list")
        self._kind = address.partition("://")[0][:20]
        self.key = f"apprise {self._kind}"
        self._directory, self._pause, self._monotonic = directory, pause, monotonic
        self._said: dict[str, float] = {}
        self._unsaid: dict[str | None, int] = {}
        self._left: Occasion | None = None
        self._thread: OneThread | None = None
        self._under_way: tuple[Occasion, asyncio.Future[bool]] | None = None

    async def tell(self, occasion: Occasion) -> None:
        """Tell.

        Raises
        ------
        Away
            When the service did not take it; it does not say why.
        """
        if self._left is not occasion and self._is_too_soon(occasion):
            return
        self._left = occasion
        if not await self._is_taken(occasion):
            raise Away(f"{self._kind} did not take the message; check its address")
        self._left = None
        if occasion.event is not None:
            self._unsaid.pop(occasion.camera, None)

    def replaces(self, old: Occasion, new: Occasion) -> bool:
        """Say whether both are of how one camera is, or its recording."""
        return old.camera == new.camera and any(old.name in names and new.name in names for names in _STATES)

    async def close(self) -> None:
        """End the thread, once it has come back."""
        if self._thread is not None:
            self._thread.end()

    def _is_too_soon(self, occasion: Occasion) -> bool:
        """Say whether something is not told: an event that is not over, or what follows its like too soon."""
        if occasion.event is None:
            if occasion.name != "trouble":
                return False
            about = "trouble " + re.sub(r"\d[\d.]*", "#", occasion.why or "")  # a full disk is trouble of all cameras
        elif occasion.event.end is None:
            return True
        else:
            about = f"events of {occasion.camera}"
        now = self._monotonic()
        if now - self._said.get(about, float("-inf")) >= self._pause:
            self._said = {words: at for words, at in self._said.items() if now - at < self._pause} | {about: now}
            return False
        if occasion.event is not None:
            self._unsaid[occasion.camera] = self._unsaid.get(occasion.camera, 0) + 1
        return True

    async def _is_taken(self, occasion: Occasion) -> bool:
        """Have the service tell, in a thread that it may hold up; what it is still at is waited for, not told again.

        Raises
        ------
        Away
            When it does not come back.
        """
        if self._under_way is None:
            more = self._unsaid.get(occasion.camera, 0) if occasion.event is not None else 0
            text = occasion.text + (f"; and {more} before it" if more else "")
            self._thread = self._thread or OneThread("bgsub-apprise")
            self._under_way = (occasion, self._thread.do(self._notify, occasion.title, text, self._picture(occasion)))
        told, future = self._under_way
        await asyncio.wait([future], timeout=_PATIENCE)
        if not future.done():
            raise Away(f"{self._kind} does not come back within {_PATIENCE:g} s; check its address")
        self._under_way = None
        if told is not occasion:  # one that was given up meanwhile
            return await self._is_taken(occasion)
        return future.exception() is None and future.result()  # an error has an address in its text perhaps

    def _picture(self, occasion: Occasion) -> str | None:
        if occasion.event is None or occasion.event.thumbnail is None:
            return None
        return str(self._directory.absolute() / occasion.event.thumbnail)

    def _notify(self, title: str, text: str, picture: str | None) -> bool:
        if picture is not None and not Path(picture).is_file():
            picture = None
        return bool(self._service.notify(title=title, body=text, attach=picture, body_format="text"))
