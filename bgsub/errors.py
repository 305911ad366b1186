"""What can go wrong, said in one line: what, where, what to do.

Every error that bgsub raises on purpose is a `BgsubError`; the command line prints its text and exits with 1.
"""


class BgsubError(Exception):
    """Base class of the errors that bgsub raises on purpose.

    Examples
    --------
    >>> import bgsub
    >>> try:
    ...     source = bgsub.open_source("missing.mp4")
    ... except bgsub.BgsubError as error:
    ...     print(error)
    cannot open missing.mp4: no such file or folder; check the path
    """


class ParameterError(BgsubError, ValueError):
    """A parameter or an argument out of its bounds; the text names it, its value and the bounds.

    Examples
    --------
    >>> import bgsub
    >>> bgsub.BackgroundSubtractor(shadow_value=300)
    Traceback (most recent call last):
    bgsub.errors.ParameterError: shadow_value is 300: give a whole number from 0 to 255
    """


class SourceError(BgsubError):
    """A video source that cannot be opened or read.

    Examples
    --------
    >>> import bgsub
    >>> bgsub.open_source("missing.mp4")
    Traceback (most recent call last):
    bgsub.errors.SourceError: cannot open missing.mp4: no such file or folder; check the path
    """


class OutputError(BgsubError):
    """An output that cannot be created or written.

    Examples
    --------
    >>> import bgsub
    >>> bgsub.VideoWriter("missing/drawn.mp4")
    Traceback (most recent call last):
    bgsub.errors.OutputError: cannot write missing/drawn.mp4: there is no folder missing; create it or choose another
    """


class MissingExtraError(BgsubError, ImportError):
    """A library that is installed on demand is missing; the text says what to type.

    Examples
    --------
    >>> import bgsub
    >>> raise bgsub.MissingExtraError("bgsub.GaussianMixture needs scikit-learn: pip install 'bgsub[cluster]'")
    Traceback (most recent call last):
    bgsub.errors.MissingExtraError: bgsub.GaussianMixture needs scikit-learn: pip install 'bgsub[cluster]'
    """


class ClusterError(BgsubError):
    """A Dask cluster that cannot be reached, does not fit this process, or went away.

    Examples
    --------
    >>> import bgsub
    >>> from bgsub.distributed.connecting import connected
    >>> try:
    ...     with connected("ftp://cluster") as client:
    ...         pass
    ... except bgsub.errors.ClusterError as error:
    ...     print(error)
    ftp://cluster is no address of a scheduler; give local, tcp://HOST:PORT or tls://HOST:PORT
    """


class ModelFileError(BgsubError):
    """A model file that is truncated, altered, of another version or of another kind.

    Examples
    --------
    >>> import bgsub
    >>> try:
    ...     model = bgsub.MOG2.load("README.md")
    ... except bgsub.ModelFileError as error:
    ...     print(str(error).split("; ")[0])
    cannot load the model README.md: it is no model file of bgsub
    """


class FitWarning(UserWarning):
    """What is doubtful about a mixture that was fitted; the command line prints its text as a line.

    Examples
    --------
    >>> import warnings
    >>> import bgsub
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", bgsub.FitWarning)  # a doubtful fit is then an exception
    ...     mixture = bgsub.GaussianMixture(2, random_state=0).fit([[0.1], [0.9], [4.8], [5.3]])
    """
