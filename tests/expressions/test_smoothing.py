import numpy as np
import pytest

from analysis.output.parquet import frames_table
from analysis.output.tables import frame_record, quality_record
from entities import EXPRESSIONS, Box, Face
from expressions.smoothing import Smoother
from vision.quality import Quality

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


def happy(confidence):
    """Return probabilities with this confidence in Happy; the rest is spread evenly."""
    row = np.full(7, (1 - confidence) / 6, np.float32)
    row[3] = confidence
    return row


def named(smoother, confidences, rate=25):
    """Return for each frame whether the face is named; frames go on from where the last call ended."""
    start = smoother._time + 1 / rate
    return [
        max(smoother.update(happy(confidence), start + i / rate)) >= smoother.threshold
        for i, confidence in enumerate(confidences)
    ]


def test_below_the_minimum_a_face_is_never_named():
    """Whatever came before, a confidence below the minimum is uncertain."""
    noise = np.random.default_rng(0).uniform(0.3, 0.6, 200)
    smoother = Smoother(0, 0.4)
    assert not any(shown for shown, value in zip(named(smoother, noise), noise, strict=True) if value < 0.4)


def test_a_confidence_around_the_minimum_does_not_flicker():
    """Ten seconds of a confidence that swings around the minimum change the label no more than five times."""
    swings = 0.4 + 0.05 * np.sin(np.arange(250) / 4)
    shown = named(Smoother(0.25, 0.4), swings)
    assert np.diff(np.array(shown, int)).astype(bool).sum() <= 5


def test_a_clear_expression_is_named_at_once():
    """After doubt, an expression well above the minimum shows within half a second in spite of smoothing."""
    smoother = Smoother(0.25, 0.4)
    assert not any(named(smoother, [0.2] * 25))
    assert all(named(smoother, [0.9] * 25)[12:])


def test_a_face_just_above_the_minimum_is_named_in_the_end():
    """A confidence that stays a little above the minimum is enough, after a second."""
    smoother = Smoother(0, 0.4)
    assert named(smoother, [0.45]) == [True]
    assert named(smoother, [0.39]) == [False]
    shown = named(smoother, [0.45] * 50)
    assert not any(shown[:20])
    assert all(shown[30:])


def shown(smoother, pairs, rate=25):
    """Return what is shown frame by frame while Neutral and Sad have these probabilities."""
    labels = []
    for i, (neutral, sad) in enumerate(pairs):
        row = np.full(7, (1 - neutral - sad) / 5, np.float32)
        row[6], row[4] = neutral, sad
        smoother.update(row, i / rate)
        labels.append(smoother.shown)
    return labels


def test_two_expressions_that_are_about_as_likely_do_not_take_turns():
    """Ten seconds in which they overtake each other three times a second change the label once at most."""
    sway = 0.04 * np.sin(np.arange(250) * 2 * np.pi * 3 / 25)
    labels = shown(Smoother(0.25), zip(0.45 + sway, 0.45 - sway, strict=True))
    assert np.count_nonzero(np.diff(labels)) <= 1


def test_a_small_lead_counts_in_the_end():
    """An expression that stays a little ahead is shown after a second, and not before."""
    labels = shown(Smoother(0), [(0.5, 0.4)] + [(0.43, 0.47)] * 50)
    assert labels[:20] == [6] * 20
    assert labels[30:] == [4] * 21


def test_a_clear_change_shows_within_half_a_second():
    """From sure Neutral to sure Sad, in spite of smoothing."""
    labels = shown(Smoother(0.25), [(0.9, 0.05)] * 25 + [(0.05, 0.9)] * 25)
    assert labels[25] == 6
    assert labels[25 + 8 :] == [4] * 17


def test_tables_have_the_plain_maximum_beside_what_is_shown():
    """Where Happy leads by less than is needed, Angry is still shown; `most_probable` is what pandas finds."""
    smoother, quality = Smoother(0, 0.4), Quality(100, 0.5, 128, None, profile=False)
    records = []
    for index, lead in enumerate((-0.2, -0.04, 0.04, 0.04, 0.2)):
        row = np.zeros(7)
        row[[0, 3]] = 0.5 - lead / 2, 0.5 + lead / 2
        face = Face(Box(0, 0, 100, 100), smoother.update(row, index / 10), 1, 0.4, held=smoother.shown)
        records.append(frame_record(index, index / 10, 0.1, [face], [quality_record(face, quality)]))
    table = frames_table(records, "a.mp4")
    assert table["expression"].tolist() == ["Angry"] * 4 + ["Happy"]
    assert table["most_probable"].tolist() == table[list(EXPRESSIONS)].idxmax(axis=1).tolist()
    assert table["most_probable"].tolist() == ["Angry"] * 2 + ["Happy"] * 3
