"""A bound on FFmpeg's memory: a file or camera may announce a picture of any size, for which it would make room."""

import ctypes
import logging
from pathlib import Path
from typing import Final

import av

log = logging.getLogger(__name__)

LARGEST_BLOCK: Final = 384 * 1024 * 1024
"""Bytes; a plane of a picture of 8192 x 8192 pixels with 16 bits has a third of it."""
_LIBRARIES: Final = ("av.libs/*avutil*", "av/.dylibs/*avutil*")
"""Where PyAV's packages keep FFmpeg, from the folder that they are installed in."""


def bound_blocks(size: int = LARGEST_BLOCK) -> bool:
    """Let FFmpeg refuse larger blocks of memory, in this process; return False where its library is not found.

    What needs one fails as if there were no memory left, which ends that file or stream alone. PyAV does not pass
    `av_max_alloc` on.
    """
    installed = Path(av.__file__).parent.parent
    found = next((path for pattern in _LIBRARIES for path in installed.glob(pattern)), None)
    if found is None:
        log.debug("FFmpeg's library is not where PyAV usually has it: its memory is not bounded")
        return False
    maximum = ctypes.CDLL(str(found)).av_max_alloc  # the copy that PyAV has loaded
    maximum.argtypes, maximum.restype = [ctypes.c_size_t], None
    maximum(size)
    return True
