import threading
from collections import Counter
from itertools import count, permutations
from unittest.mock import Mock

import cv2
import numpy as np
import pytest

from config import DEMO_CLIP, ROOT, DetectorSettings
from vision.pixels import to_grey
from vision.tracking import FaceTracker


@pytest.fixture
def tracker():
    """Return a tracker with the detector that is used unless another is asked for."""
    return FaceTracker(DetectorSettings())


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
    sizes = np.linspace(100, 200, 75).round().astype(int)
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


def update_live(tracker, image, time):
    """Return the faces in the next frame of live video, and let the search begin that is due."""
    tracks = tracker.update(image, time)
    tracker.search()
    return tracks


def test_few_frames_are_searched_and_none_waits(face, monkeypatch):
    """At 30 frames a second, one in five at most is searched, and live frames do not wait for what that takes."""
    tracker = FaceTracker(DetectorSettings(), live=True)
    find, searching, released = tracker._detector.find, [], threading.Event()

    def find_slowly(*arguments, **options):
        searching.append(arguments)
        assert len(searching) == 1 or released.wait(10)
        return find(*arguments, **options)

    monkeypatch.setattr(tracker, "_detector", Mock(find=find_slowly))
    followed = [update_live(tracker, scene((face, 300 + i, 200)), i / 30) for i in range(12)]
    released.set()
    if tracker._search:
        tracker._search.found.result(10)
    assert [len(tracks) for tracks in followed] == [1] * 12  # although the second search is not done
    assert followed[-1][0].box.x - followed[0][0].box.x == pytest.approx(0, abs=12)
    assert len(searching) == 2


def test_a_live_search_waits_until_the_frame_is_done(face, monkeypatch):
    """What names the faces of a frame has the processors for itself; the search begins when it is done."""
    tracker = FaceTracker(DetectorSettings(), live=True)
    tracker.update(scene((face, 300, 200)), 0)
    searches = Mock(return_value=[])
    monkeypatch.setattr(tracker, "_detector", Mock(find=searches))
    tracker.update(scene((face, 300, 200)), 0.2)
    assert searches.call_count == 0
    search = tracker.search()
    assert search
    search.found.result(10)
    assert searches.call_count == 1
    tracker.search()
    assert searches.call_count == 1


def test_a_new_face_is_shown_where_it_is_by_then(face, monkeypatch):
    """A face that moves on while the search that finds it is under way gets its box where it is, not where it was."""
    tracker = FaceTracker(DetectorSettings(), live=True)
    find, released = tracker._detector.find, threading.Event()

    def find_slowly(*arguments, **options):
        assert released.wait(10)
        return find(*arguments, **options)

    tracker.update(scene(), 0)
    monkeypatch.setattr(tracker, "_detector", Mock(find=find_slowly))
    times = np.arange(1, 16) / 30
    for i, now in enumerate(times):  # the search begins on the way
        if i == len(times) - 1:
            released.set()
            if tracker._search:
                tracker._search.found.result(10)
        tracks = update_live(tracker, scene((face, 100 + 15 * i, 200)), now)
    (track,) = tracks
    assert track.box.x + track.box.width / 2 == pytest.approx(100 + 15 * i + 50, abs=8)


def test_a_search_that_takes_long_costs_no_face(face, monkeypatch):
    """On a busy computer a face that is still seen stays, although no search has confirmed it for two seconds."""
    tracker = FaceTracker(DetectorSettings(), live=True)
    find, released = tracker._detector.find, threading.Event()
    tracker.update(scene((face, 300, 200)), 0)

    def find_slowly(*arguments, **options):
        assert released.wait(10)
        return find(*arguments, **options)

    monkeypatch.setattr(tracker, "_detector", Mock(find=find_slowly))
    found = [update_live(tracker, scene((face, 300, 200)), i / 30) for i in range(1, 60)]
    released.set()
    assert [[track.id for track in tracks] for tracks in found] == [[1]] * 59


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


@pytest.fixture(scope="module")
def portraits():
    """Return two people's heads, BGR, each (150, 150) with a mask of its outline: Eileen Collins and Grace Hopper."""
    heads = []
    for name, rows, columns in (("astronaut.png", (40, 215), (135, 310)), ("grace_hopper.jpg", (70, 390), (110, 430))):
        picture = cv2.imread(str(ROOT / "tests" / "data" / name))
        assert picture is not None
        heads.append(cv2.resize(picture[slice(*rows), slice(*columns)], (150, 150), interpolation=cv2.INTER_AREA))
    mask = cv2.ellipse(np.zeros((150, 150), np.uint8), (75, 75), (63, 73), 0, 0, 360, 255, -1) > 0
    return *heads, mask


def stage(portraits, first, second, front):
    """Return a frame with the two heads at these places, None for away; `front` (0 or 1) covers the other."""
    canvas = np.full((480, 640, 3), 130, np.uint8)
    canvas += np.linspace(0, 60, 640, dtype=np.uint8)[None, :, None]
    people = [(portraits[0], first), (portraits[1], second)]
    for head, place in people if front else people[::-1]:
        if place:
            x, y = round(place[0]), round(place[1])
            canvas[y : y + 150, x : x + 150][portraits[2]] = head[portraits[2]]
    return canvas


def numbers(tracker, portraits, places, front):
    """Return, frame by frame, the numbers that the two people's faces have; None where a face is not found."""
    found = []
    for i, (first, second) in enumerate(places):
        tracks = tracker.update(stage(portraits, first, second, front), i / 30)
        middles = {
            track.id: (track.box.x + track.box.width / 2, track.box.y + track.box.height / 2) for track in tracks
        }
        ids = []
        for place in (first, second):
            near = [
                n
                for n, (x, y) in middles.items()
                if place and abs(x - place[0] - 75) < 35 and abs(y - place[1] - 75) < 50
            ]
            ids.append(near[0] if len(near) == 1 else None)
        found.append(tuple(ids))
    return found


@pytest.mark.parametrize("front", [0, 1])
def test_faces_that_cross_never_swap_numbers(tracker, portraits, front):
    """Two people walk past each other: who covers the other keeps the number, and no number goes to another face."""
    found = numbers(tracker, portraits, [((x, 150), (490 - x, 165)) for x in np.linspace(20, 470, 90)], front)
    assert set(found[:30]) == {(1, 2)}
    assert not [ids for ids in found if ids[0] == 2 or ids[1] == 1][15:]  # while they overlap, either may be nearer
    assert found[-1][front] == found[0][front]
    assert None not in found[-1]


@pytest.mark.parametrize("front", [0, 1])
def test_a_face_hidden_for_a_second_gets_no_wrong_number(tracker, portraits, front):
    """Someone stands in front of another for a second: afterwards the hidden one has its own number, or a new one."""
    x = [*np.linspace(20, 250, 45), *[250] * 30, *np.linspace(250, 20, 45)]
    found = numbers(tracker, portraits, [((at, 150), (490 - at, 155)) for at in x], front)
    assert found[0] == (1, 2)
    assert found[-1][front] == found[0][front]
    assert found[-1][1 - front] not in {None, found[0][front]}


@pytest.mark.parametrize("other", [False, True])
def test_who_comes_after_two_seconds_gets_no_wrong_number(tracker, portraits, other):
    """Of two people one leaves. Two seconds later the same place is taken: by the same, or by the other."""
    away = [((100, 150), None)] * 60
    if other:
        places = [((100, 150), (350, 155))] * 30 + away + [((350, 155), None)] * 30
    else:
        places = [((100, 150), (350, 155))] * 30 + away + [((100, 150), (350, 155))] * 30
    found = numbers(tracker, portraits, places, 0)
    assert set(found[15:30]) == {(1, 2)}
    if other:
        assert found[-1][0] != 2  # the number of the one who left
    else:
        assert found[-1][0] == 1
        assert found[-1][1] not in {1, None}


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


def test_a_title_is_no_face(tracker, shared):
    """Letters that detectors take for a face now and then are never shown as one."""
    frames = read_video(shared / "samples" / "no_face.mp4")[40:]
    assert not any(follow(tracker, frames, fps=24))


def test_haar_follows_faces_too(portrait):
    """With the other detector a face that moves keeps its number as well."""
    image, _ = portrait
    tracker = FaceTracker(DetectorSettings(kind="haar"))
    found = follow(tracker, (np.roll(to_grey(image), 2 * i, axis=1) for i in range(20)))
    assert [list(boxes) for boxes in found] == [[1]] * 20


@pytest.mark.parametrize("name", ["two_faces_turning.mp4", "classroom.mp4"])
def test_yunet_keeps_faces_that_turn_away_or_sit_far_back(shared, name):
    """Two people who turn their heads, and a class of small faces: nearly every frame shows two of them at least."""
    tracker = FaceTracker(DetectorSettings(kind="yunet"))
    video = cv2.VideoCapture(str(shared / "samples" / name))
    found: list[int] = []
    while (read := video.read())[0]:
        found.append(len(tracker.update(read[1], len(found) / 15)))
    assert np.mean(np.array(found) >= 2) > 0.95


@pytest.mark.parametrize("angle", [20, -40])
def test_a_tilted_head_has_a_tilted_box(portrait, angle):
    """A head that tilts further and further keeps its number, and its box tilts with it."""
    tracker = FaceTracker(DetectorSettings(kind="yunet"))
    image, face = portrait
    middle = face.x + face.width / 2, face.y + face.height / 2
    for i in range(45):
        turn = cv2.getRotationMatrix2D(middle, -angle * min(1, i / 30), 1)
        turned = cv2.warpAffine(image, turn, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
        (track,) = tracker.update(turned, i / 30)
    assert track.id == 1
    assert track.detection.roll == pytest.approx(angle, abs=8)


def test_frames_that_come_rarely_keep_their_faces(tracker, face):
    """At a frame every two seconds, each is searched before it is shown."""
    found = [tracker.update(scene((face, 300, 200)), 2 * i) for i in range(4)]
    assert [len(tracks) for tracks in found] == [1] * 4


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


def test_who_comes_back_to_live_video_within_half_a_minute_keeps_the_number(face):
    """Longer than in a file, whose numbers can be merged; after a minute it is somebody new."""
    tracker = FaceTracker(DetectorSettings(), live=True)
    here, nobody = scene((face, 300, 200)), scene()
    (first,) = tracker.update(here, 0)
    for second in range(1, 21):
        tracker.update(nobody, second)
    (back,) = tracker.update(here, 21)
    assert back.id == first.id
    for second in range(22, 90):
        tracker.update(nobody, second)
    (later,) = tracker.update(here, 90)
    assert later.id != first.id


def play(tracker, path, every=1, first=0, start=0.0):
    """Return the time at a video's end, and for how many seconds each number was seen; no search lasts a frame."""
    video, time = cv2.VideoCapture(str(path)), start
    step = every / video.get(cv2.CAP_PROP_FPS)
    seen: Counter[int] = Counter()
    for index in count():
        read, frame = video.read()
        if not read:
            return time, {number: frames * step for number, frames in seen.items()}
        if index % every == first:
            time += step
            seen.update(track.id for track in tracker.update(frame, time))
            if search := tracker.search():
                search.found.result()
    raise AssertionError


@pytest.mark.parametrize(
    ("name", "people", "every", "first"),
    [
        ("demo.mp4", 2, 1, 0),
        ("demo.mp4", 2, 2, 1),
        ("demo.mp4", 2, 3, 1),
        ("two_faces_turning.mp4", 2, 1, 0),
        ("classroom.mp4", 4, 1, 0),
    ],
)
def test_a_live_video_that_starts_again_shows_the_same_people(request, name, people, every, first):
    """As does one that a face leaves for some seconds, whichever frames are seen of its return at the edge."""
    path = DEMO_CLIP if name == "demo.mp4" else request.getfixturevalue("shared") / "samples" / name
    tracker = FaceTracker(DetectorSettings(), live=True)
    time, before = play(tracker, path, every, first)
    tracker.cut()
    _, after = play(tracker, path, every, first, time)
    assert len(before) == people
    assert after == pytest.approx(before, abs=0.4)


@pytest.mark.parametrize("name", ["demo.mp4", "two_faces_turning.mp4", "classroom.mp4"])
def test_who_comes_is_not_taken_for_another_who_left(request, name):
    """Of any two people in one video, one leaves and the other comes: they have two numbers."""
    path = DEMO_CLIP if name == "demo.mp4" else request.getfixturevalue("shared") / "samples" / name
    tracker = FaceTracker(DetectorSettings(), live=True)
    people = tracker.update(cv2.VideoCapture(str(path)).read()[1], 0)
    tracker.cut()
    for left, comes in permutations(people, 2):
        tracker._lost = [left]
        assert tracker._recognise(comes.template) is None
