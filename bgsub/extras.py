"""Parts that are installed on demand: which libraries each needs, and what to type where one is missing.

Masks need none of them. `pyproject.toml` has the same lists, with versions.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator

from bgsub.errors import MissingExtraError

EXTRAS = {
    "cluster": {"sklearn": "scikit-learn", "pyarrow": "pyarrow", "scipy": "scipy"},
    "excel": {"openpyxl": "openpyxl"},
    "plots": {"matplotlib": "matplotlib", "PIL": "pillow"},
    "dask": {"dask": "dask", "distributed": "distributed", "fsspec": "fsspec"},
    "watch": {"msgspec": "msgspec", "prometheus_client": "prometheus-client", "aiomqtt": "aiomqtt"},
    "notify": {"apprise": "apprise"},
    "web": {"starlette": "starlette", "uvicorn": "uvicorn", "websockets": "websockets", "tomlkit": "tomlkit"},
}
"""Of each extra the modules that it brings, and the names under which they are installed."""


def require(extra: str, what: str) -> None:
    """Raise unless the libraries of an extra are installed, without importing them.

    Parameters
    ----------
    extra : str
        A key of `EXTRAS`.
    what : str
        What needs it, as the error should call it: ``"--plot"``.

    Raises
    ------
    MissingExtraError
        One line that says what needs which library, and what to type.
    """
    for module in EXTRAS[extra]:
        if importlib.util.find_spec(module) is None:
            raise _missing(extra, module, what)


@contextlib.contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn the error of an import of an extra's library, while the block runs, into one that says what to type.

    Parameters
    ----------
    what : str
        What needs it: ``"bgsub.GaussianMixture"``.

    Raises
    ------
    MissingExtraError
        Instead of the `ModuleNotFoundError`; those of other modules pass.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        for extra, modules in EXTRAS.items():
            if module in modules:
                raise _missing(extra, module, what) from error
        raise


def _missing(extra: str, module: str, what: str) -> MissingExtraError:
    library = EXTRAS[extra][module]
    return MissingExtraError(f'{what} needs {library}, which is not installed; pip install "bgsub[{extra}]"')
