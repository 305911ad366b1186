"""Where a program keeps what it knows on this machine, and what is no place of this machine."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from bgsub.errors import OutputError

_SHARED = frozenset(  # kinds of file systems that another machine serves
    ["nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "ncpfs", "webdav"]
    + [f"fuse.{name}" for name in ("sshfs", "glusterfs", "ceph", "smbnetfs", "davfs", "davfs2", "rclone", "s3fs")]
)
_MOUNTS = Path("/proc/self/mountinfo")


def state_folder(environment: Mapping[str, str] = os.environ, system: str = sys.platform) -> Path:
    """Return the folder of the user in which programs keep what they know; it need not be there.

    Parameters
    ----------
    environment : mapping of str to str
        Variables of the environment.
    system : str
        As of `sys.platform`.
    """
    if system == "win32":
        told = environment.get("LOCALAPPDATA")
        return (Path(told) if told else Path.home() / "AppData" / "Local") / "bgsub"
    if system == "darwin":
        return Path.home() / "Library" / "Application Support" / "bgsub"
    told = environment.get("XDG_STATE_HOME", "")
    return (Path(told) if told.startswith("/") else Path.home() / ".local" / "state") / "bgsub"


def from_home(name: str) -> Path:
    """Return a path, whose ``~`` is a home; that of a user who is not there stays as it is."""
    return Path(os.path.expanduser(name))  # noqa: PTH111 - pathlib's raises where there is no such user


def share_of(path: Path, mounts: Path = _MOUNTS) -> str | None:
    """Return the kind of the file system if another machine serves it, ``"nfs4"``; else, or unknown, None.

    Parameters
    ----------
    path : Path
        A folder, which need not be there.
    mounts : Path
        Where Linux tells what is mounted.
    """
    if os.name == "nt" and os.fspath(path.absolute()).startswith("\\\\"):
        return "network share"
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:  # another system
        return None
    within = {path.resolve(), *path.resolve().parents}
    best, kind = 0, ""
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) < 5:
            continue
        at = re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4])  # a space is \040
        if len(at) >= best and Path(at) in within:
            best, kind = len(at), kinds[0]
    return kind if kind in _SHARED else None


def check_local(folder: Path) -> None:
    """Raise where a folder is on a network share, whose locks no database can trust.

    Raises
    ------
    OutputError
        One line that says what to do.
    """
    kind = share_of(folder)
    if kind is not None:
        raise OutputError(
            f"cannot keep the index in {folder}: it is on a network share ({kind}), where databases break; "
            "give a folder of this machine as state"
        )
