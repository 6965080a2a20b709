import cv2
import numpy as np
import pytest

from config import DetectorSettings
from vision.detection import FaceDetector
from vision.detectors.haar import Cascade
from vision.pixels import to_grey
from vision.tracking import FaceTracker


@pytest.fixture(params=["haar", "yunet"])
def settings(request):
    """Return the settings of each detector, with YuNet's weights where they are kept for tests."""
    if request.param == "haar":
        return DetectorSettings(kind="haar")
    return DetectorSettings(kind="yunet", weights=request.getfixturevalue("yunet"))


@pytest.fixture
def tracker(settings):
    """Return a tracker with either detector."""
    return FaceTracker(settings)


@pytest.fixture(scope="module")
def face(portrait):
    """Return a grey face with some room around it, 100 x 100 pixels."""
    image, _ = portrait
    return cv2.resize(to_grey(image)[60:380, 105:425], (100, 100), interpolation=cv2.INTER_AREA)


def scene(*faces, width=640, height=480):
    """Draw faces, each with its left top corner, on a wall; parts outside are cut off."""
    margin = 400
    canvas = np.full((height + 2 * margin, width + 2 * margin), 140, np.uint8)
    for picture, left, top in faces:
        x, y = round(left) + margin, round(top) + margin
        canvas[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return canvas[margin : margin + height, margin : margin + width]


def follow(tracker, scenes, fps=30):
    """Return the tracks of each frame as {number: box}."""
    return [{track.id: track.box for track in tracker.update(grey, i / fps)} for i, grey in enumerate(scenes)]


def test_a_moving_face_keeps_its_number(tracker, face):
    """A face that crosses the picture is one track from the first frame on, and its box goes with it."""
    found = follow(tracker, (scene((face, 50 + 8 * i, 200)) for i in range(40)))
    assert [list(boxes) for boxes in found] == [[1]] * 40
    assert found[-1][1].x - found[0][1].x == pytest.approx(8 * 39, abs=6)


def test_a_growing_face_has_a_growing_box(tracker, face):
    """Somebody who comes twice as near has a box twice as wide."""
    sizes = np.linspace(80, 160, 60).round().astype(int)
    found = follow(tracker, (scene((cv2.resize(face, (size, size)), 250, 150)) for size in sizes))
    assert all(list(boxes) == [1] for boxes in found)
    assert found[-1][1].width / found[0][1].width == pytest.approx(2, rel=0.1)


def test_a_still_face_has_a_still_box(tracker, face):
    """With nothing but camera noise, the box trembles by no more than a pixel or two from frame to frame."""
    noise = np.random.default_rng(0)
    still = scene((face, 250, 150)).astype(np.int16)
    noisy = (np.clip(still + noise.integers(-8, 9, still.shape), 0, 255).astype(np.uint8) for _ in range(40))
    boxes = [boxes[1] for boxes in follow(tracker, noisy)]
    assert np.abs(np.diff([[box.x, box.y, box.width] for box in boxes], axis=0)).mean() < 0.5


def test_most_frames_need_no_cascade(tracker, face, monkeypatch):
    """A face that holds still costs a cascade in no more than three of ten frames: the others are cheap."""
    look, busy = Cascade.find, set()

    def find(*arguments, **options):
        busy.add(frame)
        return look(*arguments, **options)

    monkeypatch.setattr(Cascade, "find", find)
    for frame in range(60):
        tracker.update(scene((face, 300, 200)), frame / 30)
    assert len(busy) <= 0.3 * 60


@pytest.mark.parametrize("fps", [10, 30, 60])
@pytest.mark.parametrize("start", [0.5, 0.57, 0.66])
def test_faces_come_and_go_in_time(tracker, face, fps, start):
    """A new face is there within 0.3 s and a face that left is gone within 0.5 s, wherever the search just is."""
    end = start + 0.6
    times = np.arange(0, end + 0.8, 1 / fps)
    found = follow(tracker, (scene((face, 300, 200)) if start <= t < end else scene() for t in times), fps)
    shown = [t for t, boxes in zip(times, found, strict=True) if boxes]
    assert start <= shown[0] <= start + 0.3
    assert end - 1.5 / fps <= shown[-1] <= end + 0.5


def test_a_face_covered_for_a_moment_is_the_same(tracker, face):
    """A hand before a face for 0.2 s does not even interrupt its track; after a second it has its number back."""
    hidden = {*range(30, 36), *range(60, 90)}
    found = follow(tracker, (scene() if i in hidden else scene((face, 300, 200)) for i in range(110)))
    assert all(boxes for boxes in found[:60])
    assert not any(boxes for boxes in found[75:90])
    assert {number for boxes in found for number in boxes} == {1}
    assert found[-1]


def test_two_faces_that_cross_keep_their_numbers(tracker, face):
    """After one face has passed in front of another, each has the number that it had before."""
    other = cv2.flip(cv2.convertScaleAbs(face, alpha=0.6, beta=10), 1)
    positions = np.linspace(0, 400, 90)
    found = follow(tracker, (scene((face, 60 + x, 200), (other, 460 - x, 190)) for x in positions))
    first, last = found[0], found[-1]
    assert len(first) == len(last) == 2
    assert [number for number, _ in sorted(first.items(), key=lambda item: item[1].x)] == [
        number for number, _ in sorted(last.items(), key=lambda item: -item[1].x)
    ]


def test_a_face_that_walks_out_leaves_no_box(tracker, face):
    """While a face leaves at the edge its box stays inside the picture, and soon there is none."""
    found = follow(tracker, (scene((face, 400 + 10 * i, 200)) for i in range(50)))
    assert all(box.width > 0 and box.x + box.width <= 640 for boxes in found for box in boxes.values())
    assert not any(found[-15:])


def read_video(path):
    """Return a video's frames in grey."""
    video = cv2.VideoCapture(str(path))
    frames = []
    while (read := video.read())[0]:
        frames.append(to_grey(read[1]))
    return frames


def test_a_turned_head_is_carried_for_a_moment(tracker, shared):
    """Two people who turn away are shown for longer than a search of every frame would find them."""
    frames = read_video(shared / "samples" / "two_faces_turning.mp4")[:12]
    searched = [FaceDetector(DetectorSettings()).detect(frame) for frame in frames]
    followed = follow(tracker, frames, fps=12.5)
    assert sum(map(bool, followed)) > sum(map(bool, searched))
    assert sum(map(len, followed)) > sum(map(len, searched))


def test_a_title_is_no_face(tracker, shared):
    """Letters that the frontal cascade takes for a face in one frame are never shown as one."""
    frames = read_video(shared / "samples" / "no_face.mp4")[40:]
    assert FaceDetector(DetectorSettings()).detect(frames[40])
    assert not any(follow(tracker, frames, fps=24))


def test_a_door_is_no_face_but_the_man_before_it_is(tracker, shared):
    """The frontal cascade finds only a door where there is a class; two cascades agree on the man in front."""
    frames = read_video(shared / "samples" / "classroom.mp4")
    assert [box.x // 100 for box in FaceDetector(DetectorSettings()).detect(frames[5])] == [1]
    found = follow(tracker, frames, fps=50 / 3)
    assert sum(map(bool, found)) > len(frames) / 2
    assert all(40 < box.x < 80 and 130 < box.y < 165 for boxes in found for box in boxes.values())


def test_times_that_go_backwards_do_no_harm(tracker, face):
    """A file that starts again from 0 s goes on with the same faces."""
    frames = [scene((face, 300, 200))] * 20
    assert follow(tracker, frames)[-1].keys() == follow(tracker, frames)[-1].keys() == {1}


def test_a_change_of_size_does_no_harm(tracker, face):
    """A source may change its resolution in mid-stream, down to a single pixel."""
    tracker.update(scene((face, 300, 200)), 0)
    assert tracker.update(np.zeros((1, 1), np.uint8), 0.1) == []
    assert len(tracker.update(scene((face, 10, 10), width=320, height=240), 0.2)) == 1


def test_numbers_are_not_used_again(tracker, face):
    """After a reset, the same face is another one."""
    (before,) = tracker.update(scene((face, 300, 200)), 0)
    tracker.reset()
    (after,) = tracker.update(scene((face, 300, 200)), 0.1)
    assert after.id != before.id


def test_a_large_frame_is_no_trouble(tracker, face):
    """An 8K frame with a face of a sixth of its height."""
    large = cv2.resize(scene((face, 300, 200), width=854), (7686, 4320))
    assert len(tracker.update(large, 0)) == 1
