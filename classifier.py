"""Loads the network that the settings name, for whoever shows or analyses faces."""

import threading
from collections.abc import Callable

from config import ModelSettings
from entities import Classifier


def load_classifier(settings: ModelSettings, threads: int | None = None) -> Classifier:
    """Return the network, after some seconds: what runs it is imported here and not before.

    Args:
        settings: The network's files.
        threads: How many it computes on; one a processor, four at most, if not given.

    Raises:
        ModelError: It cannot be loaded.

    """
    from model import FacialExpressionModel

    return FacialExpressionModel(settings.architecture, settings.weights, threads=threads)


def loaded_once(load: Callable[[], Classifier]) -> Callable[[], Classifier]:
    """Return a function for any threads that loads the network at the first call; after an error, at the next."""
    lock = threading.Lock()
    loaded: list[Classifier] = []

    def get() -> Classifier:
        with lock:
            if not loaded:
                loaded.append(load())
            return loaded[0]

    return get
