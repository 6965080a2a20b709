"""One network for many: loaded once, and used in turns."""

import threading
from collections.abc import Iterator

import pytest

from classifier import loaded_once
from entities import Classifier
from errors import ModelError
from process import FairLock
from tests.helpers.footage import FixedClassifier


def test_the_network_is_loaded_once_for_all_cameras():
    """By whoever comes first; an error is not kept."""
    answers: Iterator[Exception | Classifier] = iter([ModelError("broken"), FixedClassifier()])
    calls: list[int] = []

    def load() -> Classifier:
        calls.append(1)
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    get = loaded_once(load)
    with pytest.raises(ModelError, match="broken"):
        get()
    assert get() is get()
    assert len(calls) == 2


def test_threads_get_the_network_in_the_order_in_which_they_ask():
    """One that asks again at once waits until the others have had their turn."""
    lock, order = FairLock(), list[str]()
    queued = threading.Semaphore(0)

    def ask(name: str) -> None:
        queued.release()
        with lock:
            order.append(name)

    threads = []
    with lock:
        for name in "abc":
            threads.append(threading.Thread(target=ask, args=(name,)))
            threads[-1].start()
            assert queued.acquire(timeout=60)
            while len(lock._waiting) < len(threads):
                pass
    with lock:
        order.append("again")
    for thread in threads:
        thread.join()
    assert order == ["a", "b", "c", "again"]
