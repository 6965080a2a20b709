"""Stand-ins for the network that other processes can load: how a process loads it travels by its name."""

import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from config import Settings
from entities import Classifier, Image
from errors import ModelError
from tests.helpers.footage import FixedClassifier

VICTIM = "FER_TEST_VICTIM"
"""An environment variable: the path of a file; the first process that finds it deletes it, and kills itself."""


class Brightness:
    """Says of a face what its mean brightness is, so that a frame that is missing or moved would be seen."""

    def predict(self, faces: Sequence[Image] | Image) -> NDArray[np.float32]:
        """Return one row a face."""
        rows = np.full((len(faces), 7), 0.05, np.float32)
        rows[:, 3] = [float(np.mean(face)) / 256 for face in faces]
        return np.asarray(rows / rows.sum(axis=1, keepdims=True), np.float32)


class Mortal(Brightness):
    """Kills its process once, where VICTIM says so."""

    def predict(self, faces: Sequence[Image] | Image) -> NDArray[np.float32]:
        """Return one row a face, or die."""
        victim = Path(os.environ.get(VICTIM, "/nowhere"))
        if len(faces) and victim.exists():
            victim.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict(faces)


class Endless(FixedClassifier):
    """Never gets done with a face."""

    def predict(self, faces: Sequence[Image] | Image) -> NDArray[np.float32]:
        """Wait for ever if there is a face."""
        if len(faces):
            threading.Event().wait()
        return super().predict(faces)


class Deadly(FixedClassifier):
    """Kills its process whenever it sees a face."""

    def predict(self, faces: Sequence[Image] | Image) -> NDArray[np.float32]:
        """Die if there is a face."""
        if len(faces):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().predict(faces)


def brightness(_: Settings) -> Classifier:
    """Load Brightness."""
    return Brightness()


def mortal(_: Settings) -> Classifier:
    """Load Mortal."""
    return Mortal()


def endless(_: Settings) -> Classifier:
    """Load Endless."""
    return Endless()


def deadly(_: Settings) -> Classifier:
    """Load Deadly."""
    return Deadly()


def missing_model(_: Settings) -> Classifier:
    """Fail as where there is no network."""
    raise ModelError("There is no model.json.")
