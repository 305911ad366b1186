"""What takes frames and their masks: the interface of videos, folders, tables and windows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

import numpy as np

from bgsub.video.frame import Frame


class Sink(ABC):
    """Something that takes every frame with its mask: a video, a folder, a table, a window.

    A sink checks its output when it is made and creates it with the first frame, so a run of no frames leaves
    nothing. It is a context manager: leaving the block, however, finishes the output.

    Attributes
    ----------
    lossy : bool
        What is read back from the output may differ from what was written.
    wrote : bool
        A file or folder lies on the disk that this sink has written: not what lay there before, nor what it removed
        when it failed. True of a folder as soon as there is one file of the sink in it.
    """

    lossy: bool = False
    wrote: bool = False

    @abstractmethod
    def write(self, frame: Frame, mask: np.ndarray) -> None:
        """Take one frame and its mask. Neither may be changed afterwards: another thread may still read them.

        Parameters
        ----------
        frame : Frame
            Frame with its time in seconds; times rise from call to call.
        mask : ndarray of uint8, shape (H, W)
            0 background, 127 shadow, 255 foreground.

        Raises
        ------
        OutputError
            When the output cannot be written any further. What was written before is kept.
        """

    @abstractmethod
    def close(self) -> None:
        """Finish the output. Calling it again does nothing.

        Raises
        ------
        OutputError
            When the end of the output cannot be written.
        """

    def let_go(self) -> None:
        """Hold nothing up any longer: a `write` that waits for somebody returns. By default there is no such wait."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
