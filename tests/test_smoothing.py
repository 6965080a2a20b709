import numpy as np
import pytest

from vision.smoothing import Smoother

ANGRY, HAPPY = np.eye(7, dtype=np.float32)[[0, 3]]


@pytest.mark.parametrize("rate", [5, 25, 60, 240])
def test_the_time_constant_is_in_seconds(rate):
    """After one time constant a new expression has 63 % of the probability, at any frame rate."""
    smoother = Smoother(0.4)
    smoother.update(ANGRY, 10.0)
    for i in range(1, round(0.4 * rate) + 1):
        average = smoother.update(HAPPY, 10 + i / rate)
    assert average[3] == pytest.approx(1 - np.exp(-1), abs=1e-6)
    assert sum(average) == pytest.approx(1)


def test_no_time_constant_means_no_smoothing():
    """With 0 seconds, every frame speaks for itself."""
    smoother = Smoother(0)
    smoother.update(ANGRY, 0)
    assert smoother.update(HAPPY, 0.01) == tuple(HAPPY)


def test_the_first_frame_is_taken_as_it_is():
    """A new face has no past to be averaged with."""
    assert Smoother(5).update(HAPPY, 100) == tuple(HAPPY)
