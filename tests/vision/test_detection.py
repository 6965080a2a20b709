import cv2
import numpy as np
import pytest

from config import DetectorSettings
from entities import Box
from errors import ModelError
from vision.detection import FaceDetector
from vision.detectors.detector import Detection, strongest
from vision.detectors.haar import Haar
from vision.detectors.yunet import YuNet
from vision.detectors.yunet_network import WEIGHTS, YuNetNetwork
from vision.geometry import Square
from vision.pixels import shrink, to_grey


@pytest.fixture(scope="module", params=["haar", "yunet"])
def detector(request):
    """Return each detector."""
    return FaceDetector(DetectorSettings(kind=request.param))


def centre_inside(box: Box, region: Box) -> bool:
    """Return whether the middle of the box lies in the region."""
    x, y = box.x + box.width / 2, box.y + box.height / 2
    return region.x < x < region.x + region.width and region.y < y < region.y + region.height


def test_finds_the_face_of_a_photograph(detector, portrait):
    """One box, around the face that is there."""
    image, face = portrait
    boxes = detector.detect(image)
    assert len(boxes) == 1
    assert centre_inside(boxes[0], face)


@pytest.mark.slow
def test_colour_grey_alpha_and_16_bits_give_the_same_box(detector, portrait):
    """How the pixels are stored does not change what is found."""
    image, _ = portrait
    grey = to_grey(image)
    assert detector.detect(grey[:, :, None]) == detector.detect(grey)
    expected = detector.detect(image)
    assert detector.detect(cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)) == expected
    assert detector.detect(image.astype(np.uint16) * 257) == expected
    (a,), (b,) = expected, detector.detect(grey)
    assert (a.x, a.y, a.width) == pytest.approx((b.x, b.y, b.width), abs=8)


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (2, 3000, 3), (480, 640, 3), (4320, 7680, 3)])
def test_a_picture_without_faces_gives_none(detector, shape):
    """From one pixel to 8K, an even grey has no faces and raises nothing."""
    assert detector.detect(np.full(shape, 127, np.uint8)) == []


def test_a_large_picture_is_searched_as_well_as_a_small_one(detector, portrait):
    """Enlarging a picture four times moves the box by no more than a tenth of its size."""
    image, _ = portrait
    (small,), (large,) = detector.detect(image), detector.detect(cv2.resize(image, None, fx=4, fy=4))
    for a, b in ((small.x, large.x), (small.y, large.y), (small.width, large.width)):
        assert b / 4 == pytest.approx(a, abs=small.width / 10)


def test_what_overlaps_is_one_face():
    """Of two detections of one face the one with more hits stays; another face stays as well."""
    weak, strong = Detection(Square(0, 0, 100), 3), Detection(Square(10, 10, 60), 9)
    apart = Detection(Square(90, 0, 100), 4)
    assert strongest([weak, strong, apart]) == [strong, apart]


@pytest.mark.parametrize("shape", [(480, 640), (1080, 1919), (7, 5000)])
@pytest.mark.parametrize("scale", [1, 0.7, 0.3, 0.11])
def test_shrinking_keeps_size_and_brightness(shape, scale):
    """The result has the size asked for, and the picture's mean."""
    grey = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    small = shrink(grey, scale)
    assert small.shape == tuple(max(1, round(side * scale)) for side in shape)
    assert small.mean() == pytest.approx(grey.mean(), abs=3)


@pytest.mark.parametrize("angle", [0, 20, -40])
def test_yunet_tells_how_a_head_is_held(portrait, angle):
    """A turned photograph's face is found as far tilted as it was turned, and looking straight ahead."""
    image, face = portrait
    middle = face.x + face.width / 2, face.y + face.height / 2
    turned = cv2.warpAffine(image, cv2.getRotationMatrix2D(middle, -angle, 1), image.shape[1::-1])
    (found,) = FaceDetector(DetectorSettings(kind="yunet")).find(turned)
    assert found.roll == pytest.approx(angle, abs=8)
    assert found.yaw == pytest.approx(0, abs=12)
    assert not found.profile
    assert found.face.middle == pytest.approx(middle, abs=20)


def test_yunet_tells_who_looks_to_a_side(shared):
    """Mirroring a picture turns the sign of roll and yaw."""
    image = cv2.imread(str(shared / "samples" / "couple.jpg"))
    assert image is not None
    detector = FaceDetector(DetectorSettings(kind="yunet"))
    seen, mirrored = detector.find(image), detector.find(cv2.flip(image, 1))[::-1]
    assert len(seen) == len(mirrored) == 2
    for a, b in zip(seen, mirrored, strict=True):
        assert a.yaw is not None
        assert b.yaw is not None
        assert a.yaw == pytest.approx(-b.yaw, abs=8)
        assert a.face.roll == pytest.approx(-b.face.roll, abs=5)
        assert a.yaw > 15


@pytest.mark.parametrize("kind", ["haar", "yunet"])
def test_the_smallest_face_means_the_same_for_both(portrait, kind):
    """A face of a third of the picture's shorter side is found where a quarter is asked for, and not where half is."""
    image, _ = portrait
    for share, count in ((0.25, 1), (0.5, 0)):
        settings = DetectorSettings(kind=kind, min_face=share)
        assert len(FaceDetector(settings).detect(image)) == count


def test_yunet_finds_faces_of_24_pixels(portrait):
    """Somebody who sits far back in a 640x480 picture is found."""
    image, _ = portrait
    small = cv2.resize(image, None, fx=24 / 170, fy=24 / 170, interpolation=cv2.INTER_AREA)
    picture = np.full((480, 640, 3), 120, np.uint8)
    picture[200 : 200 + small.shape[0], 300 : 300 + small.shape[1]] = small
    (box,) = FaceDetector(DetectorSettings(kind="yunet")).detect(picture)
    assert box.width == pytest.approx(24, abs=4)


@pytest.mark.parametrize(("content", "words"), [(None, "is not there"), (b"<html>", "is damaged")])
def test_a_missing_or_damaged_file_says_what_to_do(tmp_path, content, words):
    """Without YuNet's file there is no face: the error names it, how to get it back, and the other detector."""
    path = tmp_path / "yunet.onnx"
    if content:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=rf"{path.name} {words}.*git checkout.*haar"):
        YuNet(path)


@pytest.mark.parametrize("scale", [1, 0.5, 0.23])
def test_openvino_finds_what_opencv_finds(portrait, scale):
    """Boxes, points and scores are those of `cv2.FaceDetectorYN`, which runs the same network, to a hundredth."""
    image = cv2.resize(np.hstack([portrait[0], portrait[0][:, ::-1]]), None, fx=scale, fy=scale)
    reference = cv2.FaceDetectorYN.create(str(WEIGHTS), "", image.shape[1::-1], 0.6, 0.3)
    (found,) = YuNetNetwork().run([image])
    assert len(found) == 2
    assert found == pytest.approx(reference.detect(image)[1], abs=0.01)


def test_yunet_is_what_auto_means():
    """The better detector is there from the first start."""
    assert FaceDetector(DetectorSettings()).kind == "yunet"


def test_a_missing_cascade_says_what_to_install(monkeypatch):
    """An OpenCV without cascades is an error that names the package to install, and the other detector."""
    monkeypatch.setattr("vision.detectors.haar.CASCADE", "no_such_thing.xml")
    with pytest.raises(ModelError, match=r"opencv-python-headless.*yunet"):
        Haar()
