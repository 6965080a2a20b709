"""Faces of a live video whose source changes, or whose file starts again."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from config import Settings
from entities import EXPRESSIONS, Box, Frame, Image
from live.analyser import LiveAnalyser


class Changing:
    """Sees in every face what the test says."""

    expression = "Happy"

    def predict(self, faces: Sequence[Image] | Image) -> NDArray[np.float32]:
        """Return a row a face."""
        return np.tile(np.eye(7, dtype=np.float32)[EXPRESSIONS.index(self.expression)], (len(faces), 1))


@pytest.fixture
def analyser() -> LiveAnalyser:
    """Return an analyser whose model is ready."""
    analyser = LiveAnalyser(Settings(), Changing)
    analyser.classifier, analyser.state = Changing(), "ready"
    return analyser


def test_another_video_has_other_numbers(analyser: LiveAnalyser, portrait: tuple[Image, Box]) -> None:
    """Nobody takes the first face of the next video for the first of the last."""
    (first,), _ = analyser.faces(Frame(portrait[0], 0, 0.0))
    analyser.reset()
    (second,), _ = analyser.faces(Frame(portrait[0], 0, 1.0))
    assert second.track_id > first.track_id


def test_where_a_file_starts_again_faces_do_not_go_on_from_its_end(
    analyser: LiveAnalyser, portrait: tuple[Image, Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who looks the same keeps the number; what was seen at the end is not averaged with the start."""
    seen = [analyser.faces(Frame(portrait[0], i, i / 10, i / 10))[0][0] for i in range(3)]
    monkeypatch.setattr(Changing, "expression", "Sad")
    (again,), _ = analyser.faces(Frame(np.roll(portrait[0], 60, axis=1), 3, 0.3, 0.0))
    assert {face.track_id for face in seen} == {again.track_id}
    assert again.probabilities == pytest.approx(again.raw)
