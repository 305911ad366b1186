"""A program that is run for each occasion; no shell reads its arguments."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bgsub.errors import ParameterError
from bgsub.live.telling.occasions import FACTS, Occasion, facts_of
from bgsub.live.telling.refusal import Refused
from bgsub.live.telling.waiting import FOR_MACHINES

logger = logging.getLogger(__name__)

AT_ONCE = 4
"""Programs that run at a time; the next occasion waits."""

PATIENCE = 60.0
"""Seconds after which a program is killed."""

_PIECE = 1 << 16  # bytes that are read at a time
_NAMED = re.compile(r"\{([a-z_]+)\}")


def check_command(command: Sequence[str]) -> None:
    """Raise where a command names a fact that there is none of.

    Raises
    ------
    ParameterError
        One line that names it.
    """
    for argument in command:
        for name in _NAMED.findall(argument):
            if name not in FACTS:
                raise ParameterError(f"tell, command: there is no {{{name}}}; give one of {', '.join(FACTS)}")
    if not command or not command[0] or _NAMED.search(command[0]):
        raise ParameterError("tell, command: give a program first, by its name or path")


class ProgramChannel:
    """Runs a program for each occasion.

    Its arguments are what was asked for, with ``{clip}`` and the like in them replaced by facts; the same facts stand
    in the environment, ``BGSUB_CLIP``. It reads nothing, its output is thrown away but for the end of what a failed one
    complained of, which is logged, and it is killed with its children after a minute. It is not run again.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    directory : Path
        Of recordings.
    patience : float, optional
        Seconds.

    Raises
    ------
    ParameterError
        As of `check_command`.
    """

    name = key = "command"
    keeps, grace = FOR_MACHINES, 0.0

    def __init__(self, command: Sequence[str], directory: Path, patience: float = PATIENCE) -> None:
        check_command(command)
        self._command, self._directory, self._patience = tuple(command), directory, patience
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._running: set[asyncio.Task[str | None]] = set()

    async def tell(self, occasion: Occasion) -> None:
        """Start the program, as soon as few enough run.

        Raises
        ------
        Refused
            When it cannot be started.
        """
        await self._slots.acquire()
        try:
            program = await self._start(facts_of(occasion, self._directory))
        except BaseException:
            self._slots.release()
            raise
        task = asyncio.get_running_loop().create_task(self._fault(program), name="bgsub-command")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def replaces(self, old: Occasion, new: Occasion) -> bool:
        """Say that each is told."""
        return False

    async def close(self) -> None:
        """Wait for the programs that run, until they are killed.

        Raises
        ------
        Refused
            When one of them has failed.
        """
        for fault in await asyncio.gather(*self._running):
            if fault is not None:
                raise Refused(fault)

    async def _start(self, facts: dict[str, str]) -> asyncio.subprocess.Process:
        arguments = [_NAMED.sub(lambda name: facts[name[1]], argument) for argument in self._command]
        environment = os.environ | {f"BGSUB_{name.upper()}": value for name, value in facts.items()}
        try:
            return await asyncio.create_subprocess_exec(
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                start_new_session=sys.platform != "win32",  # so that its children are killed with it
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise Refused(f"cannot run {self._command[0]}: {reason}; check the command") from error

    async def _fault(self, program: asyncio.subprocess.Process) -> str | None:
        """Wait for a program, and return what is wrong with how it ended, after that was logged."""
        said = bytearray()
        listening = asyncio.get_running_loop().create_task(_keep_end(program.stderr, said))
        fault = None
        try:
            async with asyncio.timeout(self._patience):
                status = await program.wait()
            await asyncio.wait([listening], timeout=1.0)  # what it has left behind may hold the pipe open
            if status:
                about = " ".join(bytes(said).decode("utf-8", "replace").split())[-200:]
                fault = f"{self._command[0]} ended with {status}{f': {about}' if about else ''}"
        except TimeoutError:
            fault = f"{self._command[0]} was killed after {self._patience:g} s; let it do its work in less"
        finally:
            _kill(program)
            listening.cancel()
            await program.wait()
            self._slots.release()
        if fault is not None:
            logger.warning("command: %s", fault)
        return fault


async def _keep_end(stream: asyncio.StreamReader | None, end: bytearray) -> None:
    """Read a stream to its end, and keep its last bytes."""
    while stream is not None and (data := await stream.read(_PIECE)):
        end += data
        del end[:-1000]


def _kill(program: asyncio.subprocess.Process) -> None:
    """Kill a program and its children, if it still runs."""
    if program.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            program.kill()
        else:
            os.killpg(program.pid, signal.SIGKILL)
