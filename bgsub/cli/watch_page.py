"""What ``bgsub watch`` does about its page: where it is, who may see it, and what is kept of a password."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from bgsub.live.configuration.reading import Configuration
    from bgsub.live.health.metrics import Other
    from bgsub.live.settings import Watch
    from bgsub.live.supervising.running import Service

PASSWORD = "BGSUB_WEB_PASSWORD"
"""A variable of the environment with a password for the page, for where there is no file of cameras."""


def web_settings(watch: Watch, o: dict[str, Any]) -> dict[str, Any]:
    """Return what was typed of the page, beside what the file of cameras says."""
    from bgsub.live.settings import Access, Web

    web = watch.web
    if web is None and not o["web"] and not o["web_listen"]:
        return {}
    web, password = web or Web(), os.environ.get(PASSWORD)
    access = (Access(name=PASSWORD, hash=_hashed(password)),) if password else ()
    return {
        "web": Web(
            listen=o["web_listen"] or web.listen,
            access=(*web.access, *access),
            names=web.names,
            certificate=web.certificate,
            key=web.key,
        )
    }


@functools.cache  # the same one when the file is read again, so that sessions go on
def _hashed(password: str) -> str:
    from bgsub.live.configuration.passwords import hashed

    return hashed(password)


def page_services(
    watch: Watch, configuration: Path | None, read_again: Callable[[], Configuration] | None, numbers: list[Other]
) -> list[Service]:
    """Return the page as a service, where there is one."""
    if watch.web is None:
        return []
    from bgsub.extras import require

    require("web", "the page")
    from bgsub.live.web.page_service import PageService

    return [PageService(configuration, read_again, numbers)]


def print_hash() -> None:
    """Ask for a password, twice where somebody types, and print its hash."""
    from bgsub.live.configuration.passwords import hashed

    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.read(2048).partition("\n")[0].rstrip("\r")
    click.echo(hashed(password))
