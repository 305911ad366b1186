"""Who may in: passwords and tokens, sessions that end, and how often somebody may try."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import logging
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bgsub.live.clock import Clock
from bgsub.live.configuration.passwords import Hash, matches, read_hash
from bgsub.live.settings import Access

logger = logging.getLogger(__name__)

Role = Literal["viewer", "owner"]

UNUSED, ANYWAY = 12 * 3600.0, 7 * 86400.0
"""Seconds after which a session ends: without use, and anyway."""

FREE_TRIES = 5
"""Wrong passwords of an address before it has to wait."""

_FIRST_WAIT, _LONGEST_WAIT, _FORGOTTEN = 15.0, 900.0, 3600.0  # seconds
_MOST_SESSIONS, _MOST_ADDRESSES, _MOST_TOKENS = 1000, 4096, 64
_AT_A_TIME, _MOST_WAITING = 2, 8  # passwords that are tried: each takes memory and time


class Who(NamedTuple):
    """Somebody who asks: as the log calls them, and what they may."""

    name: str
    role: Role


class TooOften(Exception):
    """Somebody must wait, for so many seconds, before the next try."""

    def __init__(self, seconds: float) -> None:
        self.seconds = math.ceil(seconds)
        super().__init__(f"too many wrong tries: wait {self.seconds} s")


@dataclass
class _Session:
    who: Who
    hash: str
    began: float
    used: float


@dataclass
class _Tries:
    failed: int
    last: float


class Entrances:
    """Knows who may in. Lives in an event loop; nothing in it grows without bounds.

    Parameters
    ----------
    access : sequence of Access
        Who may; where nobody is named, everybody who can reach the page is its owner.
    clock : Clock
        The time.
    """

    def __init__(self, access: Sequence[Access], clock: Clock) -> None:
        self._clock = clock
        self._access: list[tuple[Access, Hash]] = []
        self._sessions: dict[bytes, _Session] = {}
        self._tries: dict[str, _Tries] = {}
        self._tokens: dict[bytes, str] = {}  # proven tokens, by their digest: each request has one
        self._busy, self._waiting = asyncio.Semaphore(_AT_A_TIME), 0
        self.change(access)

    @property
    def is_open(self) -> bool:
        """Whether everybody may in."""
        return not self._access

    def change(self, access: Sequence[Access]) -> None:
        """Let others in from now on; sessions of those who are no more named end."""
        self._access = [(one, read_hash(one.hash)) for one in access]
        known = {one.hash for one in access}
        self._sessions = {key: one for key, one in self._sessions.items() if one.hash in known}
        self._tokens = {key: one for key, one in self._tokens.items() if one in known}

    async def enter(self, password: str, address: str) -> tuple[str, Who] | None:
        """Begin a session; return its secret and who it is of, or None where the password is wrong.

        Raises
        ------
        TooOften
            When this address has tried too often.
        """
        access = await self._proven(password, address)
        if access is None:
            return None
        now = self._clock.monotonic()
        self._forget_old(now)
        secret = secrets.token_urlsafe(32)
        who = Who(access.name, access.role)
        self._sessions[_digest(secret)] = _Session(who, access.hash, now, now)
        logger.info("%s (%s) came in from %s", who.name, who.role, address)
        return secret, who

    def leave(self, secret: str) -> None:
        """End a session."""
        self._sessions.pop(_digest(secret), None)

    def of_session(self, secret: str) -> Who | None:
        """Return who has a session, and note that it is used; None where it has ended."""
        session, now = self._sessions.get(_digest(secret)), self._clock.monotonic()
        if session is None:
            return None
        if now - session.used > UNUSED or now - session.began > ANYWAY:
            self.leave(secret)
            return None
        session.used = now
        return session.who

    async def of_token(self, token: str, address: str) -> Who | None:
        """Return who a program's token is of; None where it is wrong.

        Raises
        ------
        TooOften
            When this address has tried too often.
        """
        digest = _digest(token)
        known = self._tokens.get(digest)
        if known is None:
            access = await self._proven(token, address)
            if access is None:
                return None
            while len(self._tokens) >= _MOST_TOKENS:
                del self._tokens[next(iter(self._tokens))]
            known = self._tokens[digest] = access.hash
        return next((Who(one.name, one.role) for one, _ in self._access if one.hash == known), None)

    # ------------------------------------------------------------------------------------------------------- trying

    async def _proven(self, password: str, address: str) -> Access | None:
        """Return whose password this is; it counts as a failed try until it is known to be right."""
        tries = self._begin_try(_network(address))
        if self._waiting >= _MOST_WAITING:
            raise TooOften(_FIRST_WAIT)
        self._waiting += 1
        try:
            async with self._busy:
                found = await asyncio.to_thread(_find, password, list(self._access))
        finally:
            self._waiting -= 1
        if found is None:
            logger.warning("a wrong password from %s (%d so far)", address, tries.failed)
        else:
            self._tries.pop(_network(address), None)
        return found

    def _begin_try(self, network: str) -> _Tries:
        now = self._clock.monotonic()
        known = self._tries.pop(network, None)
        if known is None or now - known.last > _FORGOTTEN:
            known = _Tries(0, now)
        self._tries[network] = known  # last in order
        while len(self._tries) > _MOST_ADDRESSES:
            del self._tries[next(iter(self._tries))]
        if known.failed >= FREE_TRIES:
            wait = min(_FIRST_WAIT * 2 ** min(known.failed - FREE_TRIES, 10), _LONGEST_WAIT)
            left = known.last + wait - now
            if left > 0:
                raise TooOften(left)
        known.failed, known.last = known.failed + 1, now
        return known

    def _forget_old(self, now: float) -> None:
        """Make room for a session."""
        self._sessions = {
            key: one for key, one in self._sessions.items() if now - one.used <= UNUSED and now - one.began <= ANYWAY
        }
        while len(self._sessions) >= _MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]


def _find(password: str, access: list[tuple[Access, Hash]]) -> Access | None:
    """Return whose password this is; all are tried, so that the time tells nothing."""
    found = [one for one, known in access if matches(password, known)]
    return found[0] if found else None


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _network(address: str) -> str:
    """Return what counts as one address: of IPv6 the network, in which one machine has many."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if found.version == 6:
        return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
    return str(found)
