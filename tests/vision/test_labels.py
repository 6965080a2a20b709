"""Labels stand beside their faces and cover nothing, as long as there is room."""

import pytest

from entities import Box
from vision.labels import place_labels

SIZES = [(130, 22), (100, 18), (22, 18)]


def overlap(a: Box, b: Box) -> bool:
    """Whether two boxes have a pixel in common."""
    return a.x < b.x + b.width and b.x < a.x + a.width and a.y < b.y + b.height and b.y < a.y + a.height


def placed(faces: list[Box], width: int, height: int) -> list[Box]:
    """Return where the labels are."""
    places = place_labels(faces, [SIZES] * len(faces), width, height)
    return [Box(place.x, place.y, *SIZES[place.variant]) for place in places]


@pytest.mark.parametrize("count", [1, 2, 8, 24])
def test_nothing_is_covered(count: int) -> None:
    """From one face to 24, no label lies on a face or on another label, and all are inside the picture."""
    faces = [Box(20 + 105 * (i % 6), 30 + 85 * (i // 6), 60, 60) for i in range(count)]
    labels = placed(faces, 660, 360)
    for i, label in enumerate(labels):
        assert not any(overlap(label, face) for face in faces)
        assert not any(overlap(label, other) for j, other in enumerate(labels) if j != i)
        assert 0 <= label.x <= 660 - label.width
        assert 0 <= label.y <= 360 - label.height


def test_a_face_alone_has_its_full_label_above() -> None:
    """Where there is room, nothing is left out."""
    (place,) = place_labels([Box(200, 150, 100, 100)], [SIZES], 640, 480)
    assert place.variant == 0
    assert place.y + SIZES[0][1] <= 150


def test_a_crowd_has_numbers() -> None:
    """Where words find no room, the shortest label does."""
    faces = [Box(5 + 45 * (i % 8), 25 + 60 * (i // 8), 40, 40) for i in range(24)]
    places = place_labels(faces, [SIZES] * len(faces), 370, 220)
    assert any(place.variant == len(SIZES) - 1 for place in places)


def test_a_face_that_fills_the_picture_has_its_label_inside() -> None:
    """There is no room anywhere else."""
    (place,) = place_labels([Box(0, 0, 640, 480)], [SIZES], 640, 480)
    assert (place.variant, place.x, place.y) == (0, 0, 0)
