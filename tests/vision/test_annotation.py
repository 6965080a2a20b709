"""What faces look like on a frame, and the frames that say why there is no picture."""

import re
import tracemalloc
from dataclasses import replace
from io import BytesIO
from time import perf_counter

import numpy as np
import PIL.Image
import pytest

from config import ROOT
from entities import EXPRESSIONS, Box, Face, Image
from errors import ImageError
from vision.annotation import COLOURS, MOSAIC_CELLS, UNCERTAIN, annotate, encode_jpeg, message_frame
from vision.geometry import Square


def make_face(box: Box, expression: str = "Happy", confidence: float = 0.88, min_confidence: float = 0.0) -> Face:
    """Return a face that shows one expression with this confidence, and the others alike."""
    rest = (1 - confidence) / (len(EXPRESSIONS) - 1)
    probabilities = tuple(confidence if name == expression else rest for name in EXPRESSIONS)
    return Face(box, probabilities, track_id=1, min_confidence=min_confidence)


def grey_picture(width: int = 640, height: int = 480) -> Image:
    """Return a flat picture on which everything drawn can be seen."""
    return np.full((height, width, 3), 120, np.uint8)


def shows(image: Image, colour: tuple[int, int, int]) -> bool:
    """Whether some pixel of the BGR image has exactly this RGB colour."""
    return bool((image == colour[::-1]).all(axis=2).any())


def test_annotate_leaves_the_picture_it_was_given_unchanged() -> None:
    """The source's frame may be used again; annotate works on a copy of the same shape."""
    picture = grey_picture()
    annotated = annotate(picture, [make_face(Box(200, 150, 160, 160))], blur=True)
    assert (picture == 120).all()
    assert annotated.shape == picture.shape
    assert annotated.dtype == np.uint8
    assert (annotated != picture).any()


def test_annotate_without_faces_returns_an_equal_picture() -> None:
    """Nothing is drawn where there is nothing to say."""
    picture = grey_picture()
    assert (annotate(picture, []) == picture).all()


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_expression_is_drawn_in_its_own_colour(expression: str) -> None:
    """The colour on the frame is the one that COLOURS promises, and no other expression's."""
    annotated = annotate(grey_picture(), [make_face(Box(200, 150, 160, 160), expression)])
    assert [name for name, colour in COLOURS.items() if shows(annotated, colour)] == [expression]


def test_an_uncertain_face_is_grey() -> None:
    """Below the least confidence no expression's colour is shown."""
    annotated = annotate(grey_picture(), [make_face(Box(200, 150, 160, 160), confidence=0.3, min_confidence=0.4)])
    assert shows(annotated, UNCERTAIN)
    assert not any(shows(annotated, colour) for colour in COLOURS.values())


def test_without_labels_only_the_corners_are_drawn() -> None:
    """labels=False leaves the space above the box as it was."""
    faces = [make_face(Box(200, 150, 160, 160))]
    plain, labelled = annotate(grey_picture(), faces, labels=False), annotate(grey_picture(), faces)
    assert (plain[:140] == 120).all()
    assert (labelled[:140] != 120).any()
    assert (plain[145:160] != 120).any()


@pytest.mark.parametrize("side", [9, 40, 101, 300])
def test_corners_frame_the_box_alike_on_all_sides(side: int) -> None:
    """The four corners are mirror images of each other, and end where the box ends, whatever its size."""
    picture = grey_picture(2 * 100 + side, 2 * 100 + side)
    drawn = (annotate(picture, [make_face(Box(100, 100, side, side))], labels=False) != picture).any(axis=2)
    np.testing.assert_array_equal(drawn, drawn[::-1])
    np.testing.assert_array_equal(drawn, drawn[:, ::-1])
    rows = np.flatnonzero(drawn.any(axis=1))
    assert 97 <= rows[0] <= 100
    assert 99 + side <= rows[-1] <= 102 + side


@pytest.mark.parametrize(
    "box",
    [Box(0, 0, 640, 480), Box(600, 0, 40, 40), Box(0, 440, 40, 40), Box(639, 479, 1, 1), Box(610, 450, 30, 30)],
)
def test_a_face_at_the_edge_keeps_its_label_inside_the_picture(box: Box) -> None:
    """Wherever the face is, the label shows whole: as many pixels of its colour as in the middle."""
    labels = [
        annotate(grey_picture(), [make_face(where)]).astype(int)
        - annotate(grey_picture(), [make_face(where)], labels=False)
        for where in (box, Box(300, 200, 40, 40))
    ]
    at_edge, in_middle = ((label != 0).any(axis=2).sum() for label in labels)
    assert at_edge > 0.85 * in_middle


def test_a_picture_smaller_than_the_label_is_drawn_without_an_error() -> None:
    """Tiny pictures get what fits."""
    assert annotate(grey_picture(24, 12), [make_face(Box(2, 2, 8, 8))]).shape == (12, 24, 3)


def test_blur_leaves_so_few_values_that_the_face_cannot_be_restored() -> None:
    """All that is left of a hidden face, and of a margin around it, is a few flat tiles."""
    picture = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    hidden = annotate(picture, [make_face(Box(200, 150, 150, 150))], labels=False, blur=True)
    inside = hidden[215:285, 265:285].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) <= MOSAIC_CELLS**2
    assert (hidden[122, 172:378] != picture[122, 172:378]).any(axis=1).mean() > 0.95
    assert (hidden[:110] == picture[:110]).all()


def test_the_style_sheet_has_the_same_colours() -> None:
    """The page's bars and charts match the frame's labels."""
    css = (ROOT / "static" / "css" / "colours.css").read_text()
    for name, colour in {**COLOURS, "Uncertain": UNCERTAIN}.items():
        assert re.search(rf"--{name.lower()}:\s*#{bytes(colour).hex()};", css), name


def test_one_face_costs_less_than_a_millisecond() -> None:
    """Drawing must not be what limits the frame rate (best of many, as other work may disturb the clock)."""
    picture, face = grey_picture(), make_face(Box(200, 150, 160, 160))
    annotate(picture, [face])
    durations = []
    for _ in range(50):
        start = perf_counter()
        annotate(picture, [face])
        durations.append(perf_counter() - start)
    assert min(durations) < 0.001


def test_what_was_drawn_on_a_large_photograph_is_not_kept() -> None:
    """One large face after the other leaves nothing in memory."""
    picture = np.zeros((2000, 2000, 3), np.uint8)
    annotate(picture, [make_face(Box(200, 400, 1500, 1500))])
    tracemalloc.start()
    for side in range(1000, 1600, 100):
        annotate(picture, [make_face(Box(200, 400, side, side))])
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1_000_000


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (64, 64), (200, 1000)])
def test_a_message_frame_has_the_size_asked_for_and_words_on_it(width: int, height: int) -> None:
    """Title and details are drawn, light on dark, at any size."""
    frame = message_frame("No camera", "Plug one in, or choose another source.", width, height)
    assert frame.shape == (height, width, 3)
    assert frame.dtype == np.uint8
    assert frame.max() > 200
    assert np.median(frame) < 50


def test_message_frames_differ_by_what_they_say() -> None:
    """The details are part of the picture, so a countdown counts down."""
    frames = [message_frame("Reconnecting", f"Next try in {seconds} s", 640, 480) for seconds in (3, 2)]
    assert (frames[0] != frames[1]).any()


@pytest.mark.parametrize("picture", [grey_picture(320, 200), np.full((200, 320), 120, np.uint8)])
def test_encode_jpeg_returns_a_file_that_decodes_to_the_same_size(picture: Image) -> None:
    """Colour and grey pictures become JPEG files that another library reads."""
    decoded = PIL.Image.open(BytesIO(encode_jpeg(picture, 80)))
    assert (decoded.format, decoded.size) == ("JPEG", (320, 200))
    assert abs(int(np.asarray(decoded).mean()) - 120) <= 2


def test_lower_quality_makes_a_smaller_file() -> None:
    """The quality setting reaches the encoder."""
    picture = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    assert len(encode_jpeg(picture, 30)) < len(encode_jpeg(picture, 90))


@pytest.mark.parametrize("shape", [(0, 10, 3), (1, 66000, 3)])
def test_a_picture_that_jpeg_cannot_hold_is_an_error_with_its_shape(shape: tuple[int, ...]) -> None:
    """The caller gets the project's own error, not OpenCV's."""
    with pytest.raises(ImageError, match=re.escape(str(shape))):
        encode_jpeg(np.zeros(shape, np.uint8))


def test_a_turned_face_has_a_turned_frame() -> None:
    """At 45 degrees, the drawn corners are where the square's are, and its upright corners are left as they were."""
    square = Square.around(320, 240, 160, 45)
    face = replace(make_face(Box(240, 160, 160, 160)), corners=square.corners())
    drawn = (annotate(grey_picture(), [face], labels=False) != 120).any(axis=2)
    for x, y in square.corners():
        assert drawn[round(y) - 12 : round(y) + 12, round(x) - 12 : round(x) + 12].any()
    assert not drawn[158:166, 238:246].any()


@pytest.mark.parametrize(("yaw", "hidden"), [(80, "left"), (-80, "right"), (0, None)])
def test_blur_covers_the_back_of_a_head_that_looks_aside(yaw: float, hidden: str | None) -> None:
    """Behind the face of somebody who looks to the right, the head goes on to the left."""
    picture = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    face = replace(make_face(Box(260, 180, 120, 120)), yaw=yaw)
    changed = (annotate(picture, [face], labels=False, blur=True) != picture).any(axis=2)
    assert changed[240, 170:230].all() == (hidden == "left")
    assert changed[240, 410:470].all() == (hidden == "right")
