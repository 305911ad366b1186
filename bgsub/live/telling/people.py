"""People, through the services that Apprise knows; with the picture of an event."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bgsub.errors import OutputError, ParameterError
from bgsub.extras import explained
from bgsub.live.telling.occasions import Occasion

_PATIENCE = 60.0  # seconds for one service


class PeopleChannel:
    """Tells people of events that are over, of cameras, and of trouble.

    A storm of events is no storm of messages: within a pause one event of a camera is told, and the next one after it
    says how many there were; and the same trouble of several cameras is told once.

    Parameters
    ----------
    addresses : sequence of str
        As Apprise has them. They hold secrets: only the name of the service is ever shown.
    directory : Path
        Of recordings.
    pause : float
        Seconds.
    monotonic : callable, optional
        The time.

    Raises
    ------
    ParameterError
        When Apprise does not know an address.
    MissingExtraError
        When it is not installed.
    """

    name = "apprise"

    def __init__(
        self,
        addresses: Sequence[str],
        directory: Path,
        pause: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        with explained("apprise, under tell,"):
            import apprise
        for library in ("apprise", "urllib3"):  # their lines have addresses in them
            logging.getLogger(library).setLevel(logging.CRITICAL)
        self._services: list[tuple[str, Any]] = []
        for number, address in enumerate(addresses, 1):
            service = apprise.Apprise()
            if not service.add(address):
                raise ParameterError(f"apprise {number}: no service is known by this address; see Apprise's list")
            self._services.append((address.partition("://")[0][:20], service))
        self._directory, self._pause, self._monotonic = directory, pause, monotonic
        self._said: dict[str, float] = {}
        self._unsaid: dict[str | None, int] = {}
        self._left: tuple[Occasion, list[tuple[str, Any]]] | None = None

    async def tell(self, occasion: Occasion) -> None:
        """Tell all services; told again, those that failed.

        Raises
        ------
        OutputError
            When a service did not take it.
        """
        if self._left is None or self._left[0] is not occasion:
            if self._is_too_soon(occasion):
                return
            self._left = (occasion, self._services)
        failed = [(name, service) for name, service in self._left[1] if not await self._is_taken(service, occasion)]
        if failed:
            self._left = (occasion, failed)
            names = ", ".join(name for name, _ in failed)
            raise OutputError(f"apprise: {names} did not take the message; check its address")
        self._left = None
        if occasion.event is not None:
            self._unsaid.pop(occasion.camera, None)

    async def close(self) -> None:
        """Do nothing: nothing is under way."""

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

    async def _is_taken(self, service: Any, occasion: Occasion) -> bool:
        more = self._unsaid.get(occasion.camera, 0) if occasion.event is not None else 0
        text = occasion.text + (f"; and {more} before it" if more else "")
        picture = None
        if occasion.event is not None and occasion.event.thumbnail is not None:
            path = self._directory.absolute() / occasion.event.thumbnail
            picture = str(path) if path.is_file() else None
        try:
            async with asyncio.timeout(_PATIENCE):
                return bool(await asyncio.to_thread(service.notify, title=occasion.title, body=text, attach=picture))
        except Exception:  # of a service's own making, with an address in its text perhaps
            return False
