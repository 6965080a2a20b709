"""The worker that analyses videos, with a stand-in for the network: `python -m tests.helpers.job_worker [FILE]`.

As long as FILE exists, the analysis stays where it is. `ThreadRunner` does the same work without a process.
"""

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.queue import worker
from analysis.queue.runner import JobRunner
from config import ModelSettings, Settings
from entities import Classifier, Image
from tests.helpers.footage import FixedClassifier


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


class ThreadRunner(JobRunner):
    """Lets its own thread do the worker's work: a process takes longer to import what that needs than to do it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        reading, self._writing = os.pipe()
        self._inbox = worker.Inbox(os.fdopen(reading, encoding="utf-8"))

    def close(self) -> None:
        """End the work, and put its job back into the queue."""
        os.close(self._writing)
        super().close()

    def _work(self) -> bool:
        worker.Worker(self._settings, lambda: FixedClassifier("Happy", 0.8), self._inbox).run(idle_seconds=0)
        return True


def load(_: ModelSettings) -> Classifier:
    """Return the stand-in."""
    return HeldClassifier(Path(sys.argv[1])) if len(sys.argv) > 1 else FixedClassifier("Happy", 0.8)


if __name__ == "__main__":
    worker.NICENESS = 0  # type: ignore[misc]  # tests wait for it, on computers that may be busy
    worker.main(load)
