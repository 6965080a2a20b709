import numpy as np
import pandas as pd
import pytest

from training.metrics import report
from training.metrics.calibration import reliability


@pytest.fixture
def predictions():
    """Return probabilities, three in four of them right, and labels of every expression but Disgust."""
    labels = np.repeat([0, 2, 3, 4, 5, 6], 60)
    rows = np.arange(len(labels))
    probabilities = np.full((len(labels), 7), 0.05)
    probabilities[rows, np.where(rows % 4 > 0, labels, (labels + 2) % 7)] = 0.7
    return probabilities, labels


def pixels(figure, path):
    """Return the figure's picture as it is written."""
    from matplotlib.image import imread

    figure.savefig(path)
    return imread(path)


def test_scores_by_hand():
    """Accuracy, recall, precision and F1 of three rows, worked out on paper."""
    probabilities = np.eye(7)[[3, 3, 0]] * 0.93 + 0.01
    scores = report.score(probabilities, np.array([3, 0, 0]))
    assert scores.accuracy == pytest.approx(2 / 3)
    assert scores.balanced_accuracy == pytest.approx((1 + 0.5) / 2)
    assert scores.macro_f1 == pytest.approx(2 / 3)
    assert scores.precision[3] == pytest.approx(0.5)
    assert scores.recall[:1] == pytest.approx([0.5])
    assert scores.confusion[0][3] == 1
    assert scores.support == [2, 0, 0, 1, 0, 0, 0]


def test_absent_expressions_have_no_recall(predictions):
    """An expression without rows has no recall, and weighs nothing in the balanced accuracy."""
    scores = report.score(*predictions)
    assert scores.recall[1] is None
    assert scores.balanced_accuracy == pytest.approx(np.mean([r for r in scores.recall if r is not None]))


def test_vote_scores():
    """Probabilities equal to the votes reach their entropy, without calibration error."""
    shares = np.full((20, 7), 0.1)
    shares[:, 2] = 0.4
    scores = report.score_votes(shares, shares)
    assert scores.negative_log_likelihood == pytest.approx(scores.votes_entropy)
    assert scores.calibration_error == pytest.approx(0)
    assert scores.votes_for_predicted == pytest.approx(0.4)


def test_plots_of_labels(predictions, tmp_path):
    """Confusion matrix and reliability curve are drawn, an expression that does not occur included."""
    confusion = report.plot_confusion(report.score(*predictions), "Title")
    curve = report.plot_reliability({"labels": reliability(*predictions)}, "Title")
    for figure in (confusion, curve):
        assert pixels(figure, tmp_path / "plot.png").std() > 0.05
    texts = [text.get_text() for text in confusion.axes[0].texts]
    assert "75%" in texts
    assert "Disgust (0)" in [label.get_text() for label in confusion.axes[0].get_yticklabels()]


def test_learning_curves_draw_every_measure(tmp_path):
    """Losses and shares each get their panel; the learning rate is none of them. Epochs stand where they belong."""
    log = pd.DataFrame({"epoch": [0, 2], "loss": [2.0, 1.5], "val_accuracy": [0.4, 0.5], "learning_rate": [0.1, 0.1]})
    figure = report.plot_learning_curves(log)
    names = [[line.get_label() for line in axes.lines] for axes in figure.axes]
    assert names == [["loss"], ["val accuracy"]]
    assert np.asarray(figure.axes[0].lines[0].get_xdata()).tolist() == [1, 3]
    assert pixels(figure, tmp_path / "plot.png").std() > 0.02


def test_worst_mistakes_come_first():
    """Only wrong predictions are shown, the surest first, with what was said and what was meant."""
    probabilities = np.full((3, 7), 0.01)
    probabilities[[0, 1, 2], [3, 0, 6]] = [0.94, 0.6, 0.9]
    figure = report.plot_mistakes(np.zeros((3, 48, 48), np.uint8), probabilities, np.array([3, 4, 5]))
    captions = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert captions == ["Neutral 90%\nlabel: Surprise", "Angry 60%\nlabel: Sad"]


def test_no_mistakes_are_drawn_too(tmp_path):
    """A network without mistakes gets an empty page, not an error."""
    figure = report.plot_mistakes(np.zeros((7, 48, 48), np.uint8), np.eye(7), np.arange(7))
    pixels(figure, tmp_path / "plot.png")


def test_heat_maps_lie_over_faces(tmp_path):
    """With heat maps, grey faces turn coloured."""
    faces = np.full((3, 48, 48), 128, np.uint8)
    heat = np.linspace(0, 1, 48 * 48, dtype=np.float32).reshape(48, 48)
    plain = pixels(report.plot_faces(faces, ["a", "b", "c"]), tmp_path / "plain.png")[..., :3]
    warm = pixels(report.plot_faces(faces, ["a", "b", "c"], [heat] * 3), tmp_path / "warm.png")[..., :3]
    assert np.ptp(warm, axis=2).max() > np.ptp(plain, axis=2).max() + 0.3
