"""Where labels go: beside their faces, where they cover neither a face nor another label."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from entities import Box

_GAP: Final = 0.25
"""Between a face and its label, as a share of the label's height."""
_LARGEST_INSIDE: Final = 0.15
"""The share of its own face that a label may cover where there is room nowhere else."""


class Place(NamedTuple):
    """Where a label goes, and in which of its sizes."""

    variant: int
    """Index of the size, 0 for the fullest."""
    x: int
    y: int


def place_labels(
    faces: Sequence[Box], sizes: Sequence[Sequence[tuple[int, int]]], width: int, height: int
) -> list[Place]:
    """Place each face's label above, below or beside it, larger faces first; static/js/faces/labels.js does the same.

    Args:
        faces: n boxes in pixels of the picture.
        sizes: For each face, width and height of its label in each variant, from the fullest to the shortest.
            The fullest for which there is room is taken; where there is room for none, the label goes into its
            own face.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.

    Returns:
        n places, all inside the picture as far as the labels are.

    """
    taken: list[Box] = list(faces)
    places: dict[int, Place] = {}
    for number in sorted(range(len(faces)), key=lambda i: -faces[i].width * faces[i].height):
        place = _free_place(faces[number], sizes[number], taken, width, height)
        if place is None:
            others = [box for box in taken if box is not faces[number]]
            place = _place_inside(faces[number], sizes[number], others, width, height)
        places[number] = place
        taken.append(Box(place.x, place.y, *sizes[number][place.variant]))
    return [places[number] for number in range(len(faces))]


def _free_place(
    face: Box, sizes: Sequence[tuple[int, int]], taken: Sequence[Box], width: int, height: int
) -> Place | None:
    for variant, size in enumerate(sizes):
        for x, y in _around(face, *size, width):
            label = Box(x, y, *size)
            inside = x >= 0 and y >= 0 and x + label.width <= width and y + label.height <= height
            if inside and not any(_overlap(label, other) for other in taken):
                return Place(variant, x, y)
    return None


def _around(face: Box, label_width: int, label_height: int, width: int) -> Iterator[tuple[int, int]]:
    """Yield the places around a face, the best first."""
    gap = max(1, round(_GAP * label_height))
    right, bottom = face.x + face.width, face.y + face.height
    for y in (face.y - label_height - gap, bottom + gap):
        for x in (face.x, right - label_width):
            yield max(0, min(x, width - label_width)), y
    for x in (right + gap, face.x - label_width - gap):
        yield from ((x, y) for y in (face.y, bottom - label_height))


def _place_inside(face: Box, sizes: Sequence[tuple[int, int]], others: Sequence[Box], width: int, height: int) -> Place:
    """Return a place in the face's own upper or lower edge, for the shortest label where it would cover much."""
    most = _LARGEST_INSIDE * face.width * face.height
    last = len(sizes) - 1
    for variant, (label_width, label_height) in enumerate(sizes):
        if label_width * label_height > most and variant < last:
            continue
        x = max(0, min(face.x, width - label_width))
        for y in (face.y, face.y + face.height - label_height):
            label = Box(x, max(0, min(y, height - label_height)), label_width, label_height)
            if not any(_overlap(label, other) for other in others):
                return Place(variant, label.x, label.y)
    label_width, label_height = sizes[last]
    return Place(last, max(0, min(face.x, width - label_width)), max(0, min(face.y, height - label_height)))


def _overlap(first: Box, second: Box) -> bool:
    return (
        first.x < second.x + second.width
        and second.x < first.x + first.width
        and first.y < second.y + second.height
        and second.y < first.y + first.height
    )
