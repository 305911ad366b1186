"""Addresses on stores (``s3://bucket/night/cam1.mp4``, ``gs://``, ``memory://``, ...), which fsspec reaches.

Who may read what is told by the environment or fsspec's configuration, never by an address: what stands in addresses is
shown, logged and remembered.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

from bgsub.errors import MissingExtraError, SourceError

# fsspec takes as long to load as a video does to open, and few need it: it is imported where a store is asked.

_LIBRARIES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "oss": "ossfs",
    "oci": "ocifs",
    "hdfs": "pyarrow",
    "webhdfs": "requests",
    "sftp": "paramiko",
    "ssh": "paramiko",
    "smb": "smbprotocol",
    "webdav": "webdav4",
    "ftp": "fsspec",
    "memory": "fsspec",
}
# Of what else is registered with fsspec: these lead back to the disk, into other files, or are FFmpeg's own.
_NO_STORES = frozenset({"file", "local", "http", "https", "data", "dir", "zip", "tar", "libarchive", "reference"})

ADVICE = "check the address, the credentials in the environment or fsspec's configuration, and that the store answers"
"""What to do where a store says no."""

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(?=.)")
_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]*@")
_USER = re.compile(r"(://)[^/@\s'\"]*@")
_QUERY = re.compile(r"(://[^?\s'\"]*)\?[^\s'\"?]*=[^\s'\"]*")


def is_stored(name: str | os.PathLike[str] | int | None) -> bool:
    """Say whether a name is the address of something on a store; nothing is asked or imported for it."""
    found = _ADDRESS.match(os.fspath(name)) if isinstance(name, (str, os.PathLike)) else None
    if found is None:
        return False
    scheme = found[1].lower()
    if scheme in _LIBRARIES:
        return True
    known = sys.modules.get("fsspec.registry")  # what a program has registered there itself
    return known is not None and scheme in known.registry and scheme not in _NO_STORES


def is_of_this_process(name: str | os.PathLike[str]) -> bool:
    """Say whether no other process sees what lies there: a store in memory, or one that a program has registered."""
    scheme = os.fspath(name).partition("://")[0].lower()
    return is_stored(name) and (scheme == "memory" or scheme not in _LIBRARIES)


def without_secrets(text: str) -> str:
    """Return an address, or a text that quotes some, without what may be a secret: users, passwords and queries."""
    return _QUERY.sub(r"\1", _USER.sub(r"\1", text))


def located(address: str) -> tuple[Any, str]:
    """Return fsspec's file system of an address, and the name in it.

    Raises
    ------
    SourceError
        When the address holds a password.
    MissingExtraError
        When the library of such stores is not installed.
    """
    if _PASSWORD.search(address):
        raise SourceError(
            f"cannot open {without_secrets(address)}: its address holds a password, which would be logged; "
            "give it by the environment or fsspec's configuration"
        )
    scheme = address.partition("://")[0].lower()
    library = _LIBRARIES.get(scheme, "fsspec")
    if importlib.util.find_spec("fsspec") is None:
        both = "fsspec" if library == "fsspec" else f"fsspec {library}"
        raise MissingExtraError(f"{scheme}:// needs fsspec, which is not installed; pip install {both}")
    import fsspec

    try:
        kind = fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        text = f"{scheme}:// needs {library}, which is not installed; pip install {library}"
        raise MissingExtraError(text) from error
    # Not by `url_to_fs`, which makes a chain of file systems of an address with "::" in it.
    return fsspec.filesystem(scheme, **kind._get_kwargs_from_urls(address)), kind._strip_protocol(address)


@contextlib.contextmanager
def asking(address: str) -> Iterator[None]:
    """Make an `OSError` with this address of whatever the store's library raises in the block."""
    name = without_secrets(address)
    try:
        yield
    except (SourceError, MissingExtraError):
        raise
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "no such file or folder", name) from error
    except PermissionError as error:
        raise PermissionError(errno.EACCES, f"the store refuses it ({reason_of(error)})", name) from error
    except Exception as error:  # each library has errors of its own
        raise OSError(errno.EIO, reason_of(error), name) from error


def reason_of(error: BaseException) -> str:
    """Return in one line, without secrets, why a store's library gave up."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return without_secrets(" ".join(str(text).split()))[:300]
