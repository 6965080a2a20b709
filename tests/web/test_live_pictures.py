"""Live frames without labels or with hidden faces: drawn once, whoever asks, and never with a face that slipped by."""

import gc
from dataclasses import replace
from unittest import mock

import cv2
import numpy as np
import pytest

from entities import Box, Face, FrameResult
from tests.helpers.fake_camera import probabilities
from vision.annotation import annotate, encode_jpeg
from web.live_pictures import Drawings


@pytest.fixture
def result() -> FrameResult:
    """Return a frame of noise with a face in it."""
    image = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    face = Face(Box(100, 80, 80, 80), probabilities("Happy"), track_id=1)
    return FrameResult(0, 1.0, None, 320, 240, (face,), b"", {"detect": 3.0}, image)


def decoded(jpeg: bytes) -> np.ndarray:
    """Return a JPEG file's pixels, BGR."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def test_hidden_faces_are_mosaics(result: FrameResult) -> None:
    """Noise has no flat places; a mosaic has nothing else."""
    inside = decoded(Drawings(90).jpeg(result, labels=False, blur=True))[105:135, 125:155].astype(float)
    assert inside.std(axis=(0, 1)).max() < 20 < decoded(encode_jpeg(result.image, 90)).std()  # type: ignore[arg-type]


def test_the_place_of_a_face_that_has_gone_is_hidden_too(result: FrameResult) -> None:
    """Who turns away is not found any more, but can still be known."""
    left = replace(result, faces=(), lost=(result.faces[0].box,))
    picture = decoded(Drawings(90).jpeg(left, labels=True, blur=True)).astype(float)
    assert picture[75:105, 72:98].std(axis=(0, 1)).max() < 20 < picture[:30].std()


def test_a_frame_is_drawn_once_for_all_viewers(result: FrameResult) -> None:
    """The second viewer gets the first one's picture; the next frame is drawn anew."""
    viewers = Drawings(90)
    with mock.patch("web.live_pictures.annotate", wraps=annotate) as drawing:
        assert viewers.jpeg(result, labels=False, blur=False) == viewers.jpeg(result, labels=False, blur=False)
        assert drawing.call_count == 1
        viewers.jpeg(replace(result, index=1), labels=False, blur=False)
        assert drawing.call_count == 2


def test_viewers_who_are_a_frame_behind_share_it(result: FrameResult) -> None:
    """Of a hundred viewers many are: were it drawn for each of them, they would fall behind further and further."""
    viewers, newer = Drawings(90), replace(result, index=1)
    with mock.patch("web.live_pictures.encode_jpeg", wraps=encode_jpeg) as encoding:
        for frame in (result, newer, result, newer):
            viewers.picture(frame, blur=False, rate=None)
    assert encoding.call_count == 2


def test_nothing_is_kept_of_frames_that_nobody_has(result: FrameResult) -> None:
    """What was drawn goes with the frame."""
    viewers = Drawings(90)
    for index in range(3):
        viewers.picture(replace(result, index=index), blur=False, rate=None)
    viewers.picture(result, blur=True, rate=None)
    gc.collect()
    assert len(viewers._drawn) == 1


def test_a_picture_that_cannot_be_drawn_is_a_message(result: FrameResult, caplog: pytest.LogCaptureFixture) -> None:
    """One bad frame ends no stream: viewers are told, and so is the log."""
    with mock.patch("web.live_pictures.annotate", side_effect=ValueError("too dark to draw on")):
        picture = decoded(Drawings(90).jpeg(result, labels=True, blur=False))
    assert picture.shape == (240, 320, 3)
    assert np.median(picture) < 40
    assert "too dark to draw on" in caplog.text


def test_where_nobody_looked_for_faces_a_message_hides_the_picture(result: FrameResult) -> None:
    """While the model loads there are no boxes to hide; the picture is kept back as a whole."""
    picture = decoded(Drawings(90).jpeg(replace(result, faces=(), timings={}), labels=True, blur=True))
    assert picture.shape == (240, 320, 3)
    assert np.median(picture) < 40


def test_messages_pass_as_they_are(result: FrameResult) -> None:
    """A frame that says why there is no video has nothing to hide."""
    message = replace(result, image=None, faces=(), jpeg=b"a message")
    assert Drawings(90).jpeg(message, labels=False, blur=True) == message.jpeg
