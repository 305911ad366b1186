"""An address that is sent JSON, signed where a secret is given."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import os
import re
import ssl
import time
import urllib.parse
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from bgsub import __version__
from bgsub.errors import OutputError, ParameterError
from bgsub.live.configuration.hiding import shown
from bgsub.live.settings import Webhook
from bgsub.live.telling.occasions import Occasion, as_json
from bgsub.live.telling.refusal import Away, Refused
from bgsub.live.telling.waiting import FOR_MACHINES

PATIENCE = 15.0
"""Seconds for one try, from the first byte to the answer."""

_LONGEST_LINE = 8192  # bytes of the answer's first line, mostly all that is read
_LATER = {408, 425, 429, 502, 503, 504}  # of the answers that are no good, those that pass
_MOST_LINES = 100  # of an answer, that are read for when to try again
_LATEST = 3600.0  # seconds; who wants to be left alone for longer is tried once an hour
_HEADER_TEXT = re.compile(r"[!-~]+")


class _Answer(NamedTuple):
    """The status of an answer, and the seconds after which it wants to be asked again, if it says so."""

    status: int
    later: float | None


class WebhookChannel:
    """Sends JSON to an address by POST.

    All tries send the same body, which says what it is in ``delivery``, as the headers ``X-Bgsub-Delivery`` and
    ``Idempotency-Key`` do. ``X-Bgsub-Timestamp`` is when this try was sent, in seconds since 1970. With a secret,
    ``X-Bgsub-Signature`` is ``sha256=`` and the HMAC-SHA256 of timestamp, a dot, and body. Answers of 200 to 299 are
    good; redirections are not followed: a signed message goes where it was meant to go, or nowhere.

    Parameters
    ----------
    webhook : Webhook
        Address and secret.
    directory : Path
        Of recordings.
    name : str
        As the log calls it.
    patience : float, optional
        Seconds for one try.

    Raises
    ------
    ParameterError
        When the address is none.
    """

    keeps, grace = FOR_MACHINES, 0.0

    def __init__(self, webhook: Webhook, directory: Path, name: str = "webhook", patience: float = PATIENCE) -> None:
        self.name = name
        self._shown = shown(webhook.url)
        self.key = f"webhook {hashlib.sha256(self._shown.encode()).hexdigest()[:16]}"  # its path may be a secret
        self._secret = webhook.secret
        self._directory, self._patience = directory, patience
        try:
            address = urllib.parse.urlsplit(webhook.url)
            self._tls, self._host, self._port = address.scheme == "https", address.hostname or "", address.port
            target = (address.path or "/") + (f"?{address.query}" if address.query else "")
            self._target = urllib.parse.quote(target, safe="/%?&=+,;:@!$'()*~#[]-._")
            self._host = self._host if ":" in self._host else self._host.encode("idna").decode("ascii")
        except ValueError as error:  # of UnicodeError, too
            raise ParameterError(
                f"{self._shown} is no address: {error}; write http://host/path or https://..."
            ) from None
        if address.scheme not in ("http", "https") or not _HEADER_TEXT.fullmatch(self._host):
            raise ParameterError(f"{self._shown} is no address: write http://host/path or https://...")
        self._security: ssl.SSLContext | None = None
        self._login = None
        if address.username is not None:
            words = f"{urllib.parse.unquote(address.username)}:{urllib.parse.unquote(address.password or '')}"
            self._login = base64.b64encode(words.encode()).decode()

    async def tell(self, occasion: Occasion) -> None:
        """Send what is told; the same again is the same message.

        Raises
        ------
        OutputError
            When there was no good answer: `Refused` when there would be none, `Away` when nobody is there to give one.
        """
        try:
            async with asyncio.timeout(self._patience):
                answer = await self._post(*self._message(occasion))
        except TimeoutError:
            raise Away(f"{self._shown} did not answer in {self._patience:g} s; check the address") from None
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise Away(f"cannot reach {self._shown}: {_reason(error)}; check the address") from None
        status = answer.status
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise Refused(f"{self._shown} answers {status}, it has moved: give the new address")
        if status in _LATER:
            raise Away(f"{self._shown} answers {status}: look there for why", answer.later)
        if 400 <= status < 500:
            raise Refused(f"{self._shown} answers {status}: check the address, and who may use it")
        raise OutputError(f"{self._shown} answers {status}: look there for why")

    def replaces(self, old: Occasion, new: Occasion) -> bool:
        """Say that each is told."""
        return False

    async def close(self) -> None:
        """Do nothing: nothing is under way."""

    def _message(self, occasion: Occasion) -> tuple[bytes, dict[str, str]]:
        """Return body and headers."""
        sent = str(int(time.time()))
        body = msgspec.json.encode(as_json(occasion, self._directory))
        host = f"[{self._host}]" if ":" in self._host else self._host
        headers = {
            "Host": host if self._port is None else f"{host}:{self._port}",
            "User-Agent": f"bgsub/{__version__}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "close",
            "Idempotency-Key": f'"{occasion.delivery}"',  # a string, as HTTP writes structured fields
            "X-Bgsub-Delivery": occasion.delivery,
            "X-Bgsub-Timestamp": sent,
        }
        if self._login is not None:
            headers["Authorization"] = f"Basic {self._login}"
        if self._secret is not None:
            signature = hmac.new(self._secret.encode(), sent.encode() + b"." + body, hashlib.sha256).hexdigest()
            headers["X-Bgsub-Signature"] = f"sha256={signature}"
        return body, headers

    async def _post(self, body: bytes, headers: dict[str, str]) -> _Answer:
        """Send a request, and return its answer."""
        port = self._port or (443 if self._tls else 80)
        if self._tls and self._security is None:
            self._security = await asyncio.to_thread(ssl.create_default_context)  # it reads many certificates
        reader, writer = await asyncio.open_connection(self._host, port, ssl=self._security, limit=_LONGEST_LINE)
        try:
            lines = [f"POST {self._target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
            writer.write("\r\n".join(lines).encode("ascii") + body)
            await writer.drain()
            status = _status(await reader.readuntil(b"\n"))
            return _Answer(status, await _later(reader) if status in _LATER else None)
        finally:
            writer.transport.abort()


async def _later(reader: asyncio.StreamReader) -> float | None:
    """Return the seconds of the header ``Retry-After``, which may be a date; None where there is none."""
    with contextlib.suppress(
        OSError, ValueError, OverflowError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
    ):
        for _ in range(_MOST_LINES):
            name, _, value = (await reader.readuntil(b"\n")).decode("latin-1").strip().partition(":")
            if not name:
                return None
            if name.lower() == "retry-after":
                text = value.strip()
                seconds = float(text) if text.isdigit() else parsedate_to_datetime(text).timestamp() - time.time()
                return min(max(seconds, 0.0), _LATEST)
    return None


def _reason(error: Exception) -> str:
    """Return why a server was not reached, in the system's words."""
    if isinstance(error, ssl.SSLError):
        return f"no safe connection ({error.reason or type(error).__name__})"
    if isinstance(error, OSError):  # of several addresses that were tried, it has no number
        number = error.errno or 0
        return os.strerror(number) if number > 0 else error.strerror or "no connection"
    return "no answer that is HTTP"


def _status(line: bytes) -> int:
    """Return the status in the first line of an answer.

    Raises
    ------
    ValueError
        When it is not HTTP.
    """
    found = re.match(rb"HTTP/1\.[01] ([1-5]\d\d)[ \r\n]", line)
    if found is None:
        raise ValueError("not HTTP")
    return int(found[1])
