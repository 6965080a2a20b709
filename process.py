"""How a process uses the computer: its threads, and the memory that it gives back."""

import ctypes
import os
import platform
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import Final

import cv2

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # in glibc's malloc.h
_GLIBC: Final = platform.libc_ver()[0] == "glibc"
_HEAPS: Final = 2
_SWITCH_SECONDS: Final = 0.0005
"""How long a thread that runs Python keeps others waiting; Python's own 0.005 is more than a frame takes."""
_NICE: Final = 5
"""How much lower, of 20 steps, the priority of work is that nothing waits for."""


class FairLock:
    """A lock that threads get in the order in which they ask: who asks often keeps nobody else waiting."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()  # which who leaves releases

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share_processors() -> None:
    """Let threads of frames, searches and viewers get along: OpenCV takes half of the processors at most."""
    cv2.setNumThreads(max(1, processors() // 2))
    sys.setswitchinterval(_SWITCH_SECONDS)


def return_memory(large: int) -> None:
    """Let all threads share two heaps, and blocks of so many bytes and more be given back at once, with glibc.

    It would make a heap for nearly every thread, and each keeps what the largest frames left in it: memory would rise
    for as long as other threads come. It would also learn to keep blocks as large as pictures that were sent.
    """
    if _GLIBC:
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_ARENA_MAX, _HEAPS)
        mallopt(M_MMAP_THRESHOLD, large)
        mallopt(M_TRIM_THRESHOLD, 2 * large)


def trim_memory() -> None:
    """Give back now what is free in all heaps, with glibc."""
    if _GLIBC:
        ctypes.CDLL(None).malloc_trim(0)


def yield_to_others() -> None:
    """Give the calling thread a low priority, where a system lets single threads have one: on Linux."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
