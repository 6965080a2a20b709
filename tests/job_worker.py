"""The worker that analyses videos, with a stand-in for the network: `python -m tests.job_worker [FILE]`.

As long as FILE exists, the analysis stays where it is.
"""

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.queue import worker
from config import ModelSettings
from entities import Classifier, Image
from tests.footage import FixedClassifier


class HeldClassifier(FixedClassifier):
    """Answers once a file is gone."""

    def __init__(self, obstacle: Path) -> None:
        super().__init__("Happy", 0.8)
        self._obstacle = obstacle

    def predict(self, faces: Sequence[Image] | Image) -> NDArray[np.float32]:
        """Return one row a face."""
        while self._obstacle.exists():
            threading.Event().wait(0.01)
        return super().predict(faces)


def load(_: ModelSettings) -> Classifier:
    """Return the stand-in."""
    return HeldClassifier(Path(sys.argv[1])) if len(sys.argv) > 1 else FixedClassifier("Happy", 0.8)


if __name__ == "__main__":
    worker.NICENESS = 0  # type: ignore[misc]  # tests wait for it, on computers that may be busy
    worker.main(load)
