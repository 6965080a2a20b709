"""Numbers from 1 for the faces in view: receivers have an address or channels for each, however many people come by."""

from collections.abc import Sequence

from entities import Face


class FaceSlots:
    """Gives each face a slot, which it keeps while it is followed; the larger of new ones come first."""

    def __init__(self, count: int) -> None:
        self._ids: list[int | None] = [None] * count

    def update(self, faces: Sequence[Face]) -> list[Face | None]:
        """Return what is in each slot now; faces beyond their number wait until one is free."""
        in_view = {face.track_id: face for face in faces}
        self._ids = [track_id if track_id in in_view else None for track_id in self._ids]
        new = [face for face in faces if face.track_id not in self._ids]
        for face in sorted(new, key=lambda face: -face.box.width * face.box.height)[: self._ids.count(None)]:
            self._ids[self._ids.index(None)] = face.track_id
        return [None if track_id is None else in_view[track_id] for track_id in self._ids]
