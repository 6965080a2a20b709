import cv2
import numpy as np
import pytest

from config import ModelSettings, Settings
from entities import EXPRESSIONS, Frame
from expressions.resting import RestingFace
from pipeline import ExpressionPipeline, analyze_image
from vision.crops import crop_face
from vision.detection import FaceDetector
from vision.pixels import to_grey


class MeanClassifier:
    """Tells crops apart: the brighter a crop, the happier. Remembers what it was asked."""

    def __init__(self):
        self.batches = []

    def predict(self, faces):
        """Return a row a face."""
        self.batches.append([face.copy() for face in faces])
        rows = np.zeros((len(faces), len(EXPRESSIONS)), np.float32)
        rows[:, 3] = [face.mean() / 255 for face in faces]
        rows[:, 6] = 1 - rows[:, 3]
        return rows


@pytest.fixture
def classifier():
    """Return a stand-in for the network."""
    return MeanClassifier()


def make_pipeline(classifier, **model):
    """Return a pipeline with these settings of the section `model`."""
    return ExpressionPipeline(Settings(model=ModelSettings(**model)), classifier)


def test_raw_probabilities_are_those_of_the_box(classifier, portrait):
    """What the classifier sees is the face's square in the full grey frame, and nothing else."""
    image, _ = portrait
    pipeline = make_pipeline(classifier)
    for i in range(8):
        moved = np.roll(image, 5 * i, axis=1)
        (face,), _ = pipeline.process(Frame(moved, i, i / 30))
        assert face.raw == tuple(classifier.predict([crop_face(to_grey(moved), face.box, face.corners)])[0].tolist())


def test_all_faces_are_classified_in_one_batch(classifier, portrait):
    """Two faces cost one call of the classifier."""
    image, _ = portrait
    faces, _ = make_pipeline(classifier).process(Frame(np.hstack([image, image]), 0, 0.0))
    assert len(faces) == 2
    assert [len(batch) for batch in classifier.batches] == [2]


def test_after_a_cut_all_faces_have_their_turn(classifier, portrait):
    """Nothing goes on from before it, though they keep their numbers and only one can be classified in time."""
    image = np.hstack([portrait[0], portrait[0][:, ::-1]])
    pipeline = ExpressionPipeline(Settings(), classifier, live=True)
    before, _ = pipeline.process(Frame(image, 0, 0.0))
    assert pipeline._pacer
    pipeline._pacer.took(1.0, 1)
    pipeline.cut()
    after, _ = pipeline.process(Frame(image, 1, 0.1))
    assert {face.track_id for face in before} == {face.track_id for face in after}
    assert [len(batch) for batch in classifier.batches] == [2, 2]


def test_a_frame_without_faces(classifier):
    """No faces is an ordinary result, with timings."""
    faces, timings = make_pipeline(classifier).process(Frame(np.zeros((480, 640, 3), np.uint8), 0, 0.0))
    assert faces == ()
    assert timings.keys() == {"detect", "classify"}
    assert all(milliseconds >= 0 for milliseconds in timings.values())


def test_reset_forgets_the_faces(classifier, portrait):
    """After a reset, the same face is a new one, without a past."""
    image, _ = portrait
    pipeline = make_pipeline(classifier, smoothing=10)
    (before,), _ = pipeline.process(Frame(image, 0, 0.0))
    pipeline.reset()
    (after,), _ = pipeline.process(Frame(image // 2, 0, 0.1))
    assert after.track_id != before.track_id
    assert after.probabilities == pytest.approx(after.raw)


def test_a_file_has_its_own_clock(classifier, portrait):
    """Smoothing follows a file's presentation time, not how fast it is read."""
    image, _ = portrait
    pipeline = make_pipeline(classifier, smoothing=0.1)
    pipeline.process(Frame(image, 0, 5.0, time=0.0))
    (face,), _ = pipeline.process(Frame(image // 2, 1, 5.001, time=2.0))
    assert face.probabilities == pytest.approx(face.raw, abs=1e-3)


def test_a_picture_by_itself(classifier, portrait):
    """A photograph's faces come from left to right, numbered, with the threshold for "uncertain"."""
    image, _ = portrait
    faces = analyze_image(np.hstack([image, image]), FaceDetector(Settings().detector), classifier, 0.9)
    assert [face.track_id for face in faces] == [1, 2]
    assert faces[0].box.x < faces[1].box.x
    assert all(face.uncertain for face in faces)
    assert analyze_image(np.zeros((50, 50), np.uint8), FaceDetector(Settings().detector), classifier) == ()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("conversion", [None, cv2.COLOR_BGR2GRAY, cv2.COLOR_BGR2BGRA])
def test_unusual_frames(classifier, portrait, dtype, conversion):
    """Grey frames, frames with alpha and frames of 16 bits are all one to the pipeline."""
    image, _ = portrait
    image = image if conversion is None else cv2.cvtColor(image, conversion)
    image = image.astype(dtype) * (257 if dtype == np.uint16 else 1)
    faces, _ = make_pipeline(classifier).process(Frame(image, 0, 0.0))
    assert len(faces) == 1


def test_whoever_is_seen_is_compared_with_the_cameras_resting_face(classifier, portrait):
    """Until something else is said of a face: another rest, or none."""
    image, _ = portrait
    rest = RestingFace.of([0.1, 0.1, 0.1, 0.3, 0.1, 0.1, 0.2])
    pipeline = ExpressionPipeline(Settings(), classifier, rest=rest)
    (face,), _ = pipeline.process(Frame(image, 0, 0.0))
    assert face.uncorrected
    assert face.probabilities == pytest.approx(rest.correct(np.array(face.raw)), abs=1e-6)
    pipeline.compare(face.track_id, None)
    (face,), _ = pipeline.process(Frame(image, 1, 0.1))
    assert not face.uncorrected
