"""Sources give upright BGR frames of any file, webcam and network camera, or say in words why they cannot."""

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from config import DEMO_CLIP, VideoSettings
from entities import Frame, Image
from errors import SourceError
from tests.helpers.footage import make_video, plain_frames
from tests.helpers.network_cameras import (
    Act,
    Connection,
    free_port,
    mjpeg,
    network_camera,
    plain_picture,
    says,
    sends_garbage,
    serves_rtsp,
    shows,
    stalls,
)
from tests.helpers.stand_ins import PATIENCE, FakeWebcam
from vision.sources import (
    DEMO_NAME,
    Frames,
    Source,
    UntrustedAddress,
    UploadedVideo,
    open_source,
    webcam,
    webcams,
    without_secrets,
)
from vision.sources.auto import AutoSource
from vision.sources.file import FileSource
from vision.sources.network import NetworkSource
from vision.sources.webcam import WebcamSource, webcam_numbers

SETTINGS = VideoSettings()
ONCE = VideoSettings(loop=False)


def play(path: Path, settings: VideoSettings = ONCE) -> list[Frame]:
    """Return all frames of a file."""
    return list(FileSource(path, settings).frames())


def encode(path: Path, codec: str, pixels: str, size: tuple[int, int] = (64, 48), levels: Sequence[int] = ()) -> Path:
    """Write a video of any kind of pixels, a frame a level of brightness."""
    width, height = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        for level in levels or (100, 101, 102):
            picture = plain_picture(level, width, height)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format=pixels)))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("spec", "kind", "name"),
    [
        ("auto", AutoSource, "Automatic"),
        ("demo", FileSource, DEMO_NAME),
        (0, WebcamSource, "Webcam 0"),
        ("1", WebcamSource, "Webcam 1"),
        ("/dev/video2", WebcamSource, "Webcam 2"),
        ("clips/party.mp4", FileSource, "party.mp4"),
        ("rtsp://camera/stream", NetworkSource, "rtsp://camera/stream"),
        ("HTTP://camera:8080/", NetworkSource, "HTTP://camera:8080/"),
    ],
)
def test_a_setting_names_a_source(spec: int | str, kind: type, name: str) -> None:
    """The kind of source follows from what the setting looks like."""
    source = open_source(spec, SETTINGS)
    assert isinstance(source, kind)
    assert source.name == name


def test_an_unknown_kind_of_address_is_refused() -> None:
    """An address that cannot be played is an error that says which can."""
    with pytest.raises(SourceError, match=r"ftp://.*rtsp://"):
        open_source("ftp://host/clip.mp4", SETTINGS)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://host/live", "rtsp://host/live"),
        ("rtsp://user:secret@host:554/live", "rtsp://host:554/live"),
        ("rtsp://user:s/e@cret@host/live", "rtsp://host/live"),
        ("rtsp://user:s?cr#t@host/live", "rtsp://host/live"),
        ("http://host/video?user=me&pwd=secret", "http://host/video"),
        ("http://host?secret", "http://host"),
        ("http://[::1/secret@host/x#secret", "http://host/x"),
    ],
)
def test_secrets_of_an_address_are_not_shown(address: str, shown: str) -> None:
    """User names, passwords and parameters stay out of every message."""
    assert without_secrets(address) == shown
    assert NetworkSource(address, SETTINGS).name == shown


def test_a_file_gives_its_frames_with_their_times(tmp_path: Path) -> None:
    """Frames are BGR, numbered, and carry the file's own presentation times, evenly spaced or not."""
    times = [0.0, 0.1, 0.15, 0.9, 1.0]
    frames = play(make_video(tmp_path / "clip.mp4", plain_frames(5), times=times))
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.time for frame in frames] == pytest.approx(times, abs=2e-3)
    assert frames[0].image.shape == (48, 64, 3)
    assert frames[0].image.dtype == np.uint8
    assert frames[0].image[6, 6].min() > 200


def test_a_file_plays_again(tmp_path: Path) -> None:
    """With `loop`, frames go on from the start of the file, and their numbers go on rising."""
    source = FileSource(make_video(tmp_path / "clip.mp4", plain_frames(4)), SETTINGS)
    frames = list(islice(source.frames(), 10))
    assert [frame.index for frame in frames] == list(range(10))
    assert frames[4].time == frames[8].time == 0
    np.testing.assert_array_equal(frames[1].image, frames[9].image)


def test_a_still_picture_stays(tmp_path: Path) -> None:
    """A photograph is a video that shows it on and on, at a rate that costs little."""
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), plain_picture(77))
    frames = list(islice(FileSource(path, SETTINGS).frames(), 4))
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [frame.time for frame in frames] == pytest.approx([0, 0.2, 0.4, 0.6])
    assert (frames[-1].image == 77).all()


def test_a_phones_video_is_upright_and_fits_the_limits_upright(tmp_path: Path) -> None:
    """A quarter turn that the file asks for is made, and the largest width is that of the upright picture."""
    path = make_video(tmp_path / "phone.mp4", plain_frames(3, width=160, height=96), turn=90)
    upright = play(path)[0].image
    assert upright.shape == (160, 96, 3)
    assert upright[10, 85].min() > 200  # the white corner, top left in the file, is now top right
    assert upright[10, 10].max() < 100
    small = play(path, VideoSettings(loop=False, max_width=64, max_height=64))[0].image
    assert small.shape == (64, 38, 3)


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("grey.mkv", "ffv1", "gray"),
        ("grey16.mkv", "ffv1", "gray16le"),
        ("deep.mkv", "ffv1", "yuv420p10le"),
        ("alpha.mkv", "ffv1", "bgra"),
        ("colour.mkv", "ffv1", "bgr0"),
    ],
)
def test_pixels_of_any_kind_become_bgr(tmp_path: Path, name: str, codec: str, pixels: str) -> None:
    """Grey, 16-bit, 10-bit and transparent pictures keep their brightness as 8-bit BGR."""
    frames = play(encode(tmp_path / name, codec, pixels))
    assert [frame.image.shape for frame in frames] == [(48, 64, 3)] * 3
    assert all(frame.image.dtype == np.uint8 for frame in frames)
    assert [int(frame.image.mean()) for frame in frames] == pytest.approx([100, 101, 102], abs=2)


def test_a_picture_of_one_pixel(tmp_path: Path) -> None:
    """One pixel is a picture."""
    assert play(encode(tmp_path / "dot.mkv", "ffv1", "bgr0", (1, 1)))[0].image.shape == (1, 1, 3)


def test_8k_is_shrunk(tmp_path: Path) -> None:
    """A picture of 7680 x 4320 becomes one of the largest size allowed."""
    frames = play(encode(tmp_path / "8k.mp4", "mpeg4", "yuv420p", (7680, 4320), [100]))
    assert [frame.image.shape for frame in frames] == [(720, 1280, 3)]


def test_240_frames_a_second_are_thinned_out(tmp_path: Path) -> None:
    """No more frames come than `max_fps`, evenly, at their own times."""
    frames = play(make_video(tmp_path / "fast.mp4", plain_frames(240), fps=240))
    assert 29 <= len(frames) <= 31
    assert np.diff([frame.time or 0.0 for frame in frames]) == pytest.approx(1 / 30, abs=0.01)


def test_a_missing_file(tmp_path: Path) -> None:
    """The path is wrong: say so."""
    with pytest.raises(SourceError, match="no such file"):
        play(tmp_path / "none.mp4")


def test_a_folder(tmp_path: Path) -> None:
    """A folder is no video."""
    with pytest.raises(SourceError, match="folder"):
        play(tmp_path)


def test_an_empty_file(tmp_path: Path) -> None:
    """Nothing in it: say so."""
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(SourceError, match="empty"):
        play(tmp_path / "empty.mp4")


def test_a_file_of_noise(tmp_path: Path) -> None:
    """Not a video: say so."""
    path = tmp_path / "noise.mp4"
    path.write_bytes(np.random.default_rng(3).bytes(50_000))
    with pytest.raises(SourceError, match="not a video"):
        play(path)


def test_a_song(tmp_path: Path) -> None:
    """Sound alone is no video."""
    path = make_video(tmp_path / "both.mkv", sound="aac")
    with av.open(str(path)) as both, av.open(str(tmp_path / "song.mka"), "w") as song:
        track = song.add_stream_from_template(both.streams.audio[0])
        for packet in both.demux(audio=0):
            if packet.dts is not None:
                packet.stream = track
                song.mux(packet)
    with pytest.raises(SourceError, match="only sound"):
        play(tmp_path / "song.mka")


def test_a_file_whose_index_is_cut_off(tmp_path: Path) -> None:
    """An MP4 file without its end cannot be read: say that it is damaged."""
    path = make_video(tmp_path / "cut.mp4")
    path.write_bytes(path.read_bytes()[:-1500])
    with pytest.raises(SourceError, match="damaged or cut off"):
        play(path)


def test_a_file_that_breaks_off_is_shown_until_there(tmp_path: Path) -> None:
    """What a truncated file still has is shown, round after round."""
    path = make_video(tmp_path / "cut.mkv", noise_frames(50))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    once = play(path)
    assert 10 < len(once) < 40
    assert len(list(islice(FileSource(path, SETTINGS).frames(), 2 * len(once)))) == 2 * len(once)


def test_a_file_damaged_in_the_middle_goes_on_after_it(tmp_path: Path) -> None:
    """Damage costs the frames that it hits, not the rest of the video."""
    path = encode(tmp_path / "damaged.avi", "mjpeg", "yuvj420p", levels=range(50, 100))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle - 3000 : middle + 3000] = bytes(6000)
    path.write_bytes(data)
    levels = [round(frame.image.mean()) for frame in play(path)]
    assert levels[0] == pytest.approx(50, abs=2)
    assert levels[-1] == pytest.approx(99, abs=2)
    assert len(levels) > 30


def noise_frames(count: int) -> Iterator[Image]:
    """Yield pictures that compress badly, so that every part of the file matters."""
    noise = np.random.default_rng(5)
    return (noise.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(count))


@pytest.mark.parametrize("kind", ["grey", "flat grey", "alpha", "wide"])
def test_a_webcams_pictures_become_bgr(kind: str) -> None:
    """Whatever a driver gives, frames are (H, W, 3) uint8 within the limits."""
    pictures: dict[str, NDArray[np.uint8]] = {
        "grey": np.full((48, 64), 50, np.uint8),
        "flat grey": np.full((48, 64, 1), 50, np.uint8),
        "alpha": np.full((48, 64, 4), 50, np.uint8),
        "wide": np.full((1440, 2560, 3), 50, np.uint8),
    }
    source = WebcamSource(0, SETTINGS, open_camera=lambda _: FakeWebcam([pictures[kind]]))
    image = next(source.frames()).image
    assert image.shape == ((720, 1280, 3) if kind == "wide" else (48, 64, 3))
    assert image.dtype == np.uint8
    assert (image == 50).all()


def test_a_webcams_deep_pixels_are_scaled_by_the_range_that_it_uses() -> None:
    """12 bits in 16 are as bright as they are meant; and a darker picture stays darker."""
    pictures = [np.full((48, 64), level, np.uint16) for level in (4000, 512)]
    webcam = FakeWebcam(pictures, ends=threading.Event())
    frames = WebcamSource(0, VideoSettings(max_fps=240), open_camera=lambda _: webcam).frames()
    assert [int(next(frames).image[0, 0, 0]) for _ in pictures] == [250, 32]
    frames.close()


def test_a_webcam_is_asked_for_what_is_wanted() -> None:
    """Size and rate are the settings', and MJPEG is what lets USB carry them."""
    webcam = FakeWebcam([plain_picture(1)])
    next(
        WebcamSource(
            0, VideoSettings(max_width=1920, max_height=1080, max_fps=25), open_camera=lambda _: webcam
        ).frames()
    )
    assert webcam.asked[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"MJPG")
    sizes = (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS)
    assert [webcam.asked[setting] for setting in sizes] == [1920, 1080, 25]


def test_a_webcam_is_given_back() -> None:
    """Closing the frames releases the device for other programs."""
    webcam = FakeWebcam([plain_picture(1)] * 5)
    frames = WebcamSource(0, SETTINGS, open_camera=lambda _: webcam).frames()
    assert next(frames).time is None
    frames.close()
    assert webcam.released.is_set()


def test_a_webcam_that_is_pulled_out() -> None:
    """When pictures no longer come, the device is released and the source fails, to be opened again."""
    webcam = FakeWebcam([plain_picture(1)] * 2)
    source = WebcamSource(0, VideoSettings(max_fps=240), open_camera=lambda _: webcam)
    with pytest.raises(SourceError, match="plugged in"):
        list(source.frames())
    assert webcam.released.is_set()


def test_a_webcam_in_use_elsewhere() -> None:
    """A device that opens but gives no picture is released, and the reason names what to do."""
    webcam = FakeWebcam([])
    with pytest.raises(SourceError, match=r"no such webcam|other programs|may not use"):
        next(WebcamSource(0, SETTINGS, open_camera=lambda _: webcam).frames())
    assert webcam.released.is_set()


def test_a_webcam_that_never_answers() -> None:
    """Opening is given up after some time; a device that answers later is released, not leaked."""
    answers, attempts = threading.Event(), []
    webcam = FakeWebcam([plain_picture(1)], answers=answers)

    def open_camera(number: int) -> FakeWebcam:
        attempts.append(number)
        return webcam

    source = WebcamSource(0, SETTINGS, open_camera=open_camera, timeout=0.01)
    for _ in range(3):
        with pytest.raises(SourceError, match="does not answer"):
            next(source.frames())
    assert attempts == [0]  # no thread more for each attempt
    assert not webcam.released.is_set()
    answers.set()
    assert webcam.released.wait(PATIENCE)


def test_a_webcam_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux the system tells that a webcam is missing, and OpenCV is not even asked."""
    monkeypatch.setattr("platform.system", lambda: "Linux")
    with pytest.raises(SourceError, match="no such webcam"):
        next(WebcamSource(987, SETTINGS).frames())


def colourful(grey: bool = False) -> Image:
    """Return a picture that shows something, in colours or not."""
    picture = np.asarray(cv2.resize(np.random.default_rng(7).integers(0, 255, (6, 8, 3), np.uint8), (64, 48)), np.uint8)
    return np.repeat(picture[..., :1], 3, axis=2) if grey else picture


def auto(monkeypatch: pytest.MonkeyPatch, cameras: dict[int, FakeWebcam]) -> AutoSource:
    """Return what chooses among these webcams."""
    monkeypatch.setattr(webcam, "open_webcam", cameras.__getitem__)
    return AutoSource(VideoSettings(max_fps=240), webcams=lambda: list(cameras))


def test_auto_takes_the_first_webcam_that_shows_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """Webcams that give nothing are passed over; one that was chosen is waited for when it is pulled out."""
    cameras = {3: FakeWebcam([]), 5: FakeWebcam([colourful()]), 6: FakeWebcam([colourful()])}
    source = auto(monkeypatch, cameras)
    assert source.note == "Looking for a webcam."
    frames = source.frames()
    next(frames)
    assert source.name == "Webcam 5"
    assert source.live
    assert source.note == ""
    with pytest.raises(SourceError):
        next(frames)
    with pytest.raises(SourceError):
        next(source.frames())
    assert source.name == "Webcam 5"


@pytest.mark.parametrize(
    "worse", [colourful(grey=True), plain_picture(0), plain_picture(90)], ids=["grey", "black", "flat"]
)
def test_auto_prefers_colour_and_content(monkeypatch: pytest.MonkeyPatch, worse: Image) -> None:
    """An infrared camera, or one with its lid closed, is passed over where another camera shows something in colour."""
    monkeypatch.setattr("vision.sources.auto.LOOKED_AT", 0.05)
    cameras = {0: FakeWebcam([worse], ends=threading.Event()), 2: FakeWebcam([colourful()])}
    source = auto(monkeypatch, cameras)
    next(source.frames())
    assert source.name == "Webcam 2"
    assert cameras[0].released.is_set()


def test_auto_waits_for_a_webcam_that_begins_in_black(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many webcams are black for their first pictures; that is not all they have to show."""
    black_first = [plain_picture(0)] * 5 + [colourful()]
    cameras = {0: FakeWebcam(black_first, ends=threading.Event()), 2: FakeWebcam([colourful()])}
    source = auto(monkeypatch, cameras)
    assert next(source.frames()).image.std() > 10
    assert source.name == "Webcam 0"


def test_auto_takes_an_infrared_camera_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best of what there is is better than a demo."""
    monkeypatch.setattr("vision.sources.auto.LOOKED_AT", 0.0)
    pictures = [plain_picture(0)] * 3, [colourful(grey=True)] * 3, [plain_picture(0)] * 3
    source = auto(monkeypatch, {number: FakeWebcam(shown) for number, shown in enumerate(pictures)})
    next(source.frames())
    assert source.name == "Webcam 1"


def test_auto_tries_virtual_cameras_last(monkeypatch: pytest.MonkeyPatch, described: Callable[..., None]) -> None:
    """What shows a logo, or another program's picture, is not what a visitor expects."""
    described({0: "OBS Virtual Camera", 2: "Integrated Camera"})
    source = auto(monkeypatch, {0: FakeWebcam([colourful()]), 2: FakeWebcam([colourful()])})
    next(source.frames())
    assert source.name == "Webcam 2"


def test_auto_shows_the_demo_clip_where_there_is_no_webcam(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a webcam the demo clip plays, again and again even if files are not to, and says how to choose."""
    monkeypatch.setattr(webcam, "open_webcam", lambda _: FakeWebcam([]))
    source = AutoSource(ONCE, webcams=lambda: [0])
    frames = source.frames()
    first = next(frames)
    assert first.image.shape[1] >= 640
    assert source.name == DEMO_NAME
    assert not source.live
    assert "Change video" in source.note
    frames.close()


def test_the_demo_clip_is_played_again_even_if_files_are_not() -> None:
    """`loop = false` is for the user's files."""
    source = open_source("demo", VideoSettings(loop=False, max_fps=1))
    with av.open(str(DEMO_CLIP)) as clip:
        assert clip.duration
        seconds = clip.duration / av.time_base
    frames = source.frames()
    assert len(list(islice(frames, int(seconds) + 5))) == int(seconds) + 5
    frames.close()


def test_webcams_of_this_computer_are_numbers() -> None:
    """Whatever is plugged in, the list can be tried."""
    assert all(isinstance(number, int) for number in webcam_numbers())


@pytest.fixture
def described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what lets Linux describe webcams by number, name and USB port, and other channels by number."""

    def describe(names: dict[int, str], channels: Sequence[int] = (), ports: dict[int, str] | None = None) -> None:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        monkeypatch.setattr(webcam, "VIDEO_DEVICES", folder)
        monkeypatch.setattr(webcam, "webcam_numbers", lambda: sorted([*names, *channels]))
        for number, name in {**names, **dict.fromkeys(channels, "Integrated Camera")}.items():
            (folder / f"video{number}").mkdir()
            (folder / f"video{number}" / "name").write_text(f"{name}\n")
            (folder / f"video{number}" / "index").write_text(f"{int(number in channels)}\n")
        for number, port in (ports or {}).items():
            (folder / f"video{number}" / "device").symlink_to(f"../../../{port}")

    return describe


def test_webcams_have_names_and_no_second_channels(described: Callable[..., None]) -> None:
    """Linux names webcams; what they offer besides their picture is no webcam; without names, numbers do."""
    described({0: "Integrated Camera", 2: ""}, channels=[1])
    assert webcams() == {0: "Webcam 0: Integrated Camera", 2: "Webcam 2"}


def numbers_opened(opened: list[int]) -> Callable[[int], FakeWebcam]:
    """Return what opens a webcam that is pulled out after a picture, and notes its number."""

    def open_camera(number: int) -> FakeWebcam:
        opened.append(number)
        return FakeWebcam([plain_picture(1)])

    return open_camera


def watch(source: WebcamSource) -> None:
    """Watch a webcam until it is pulled out."""
    with pytest.raises(SourceError, match="plugged in"):
        list(source.frames())


def test_a_webcam_that_comes_back_under_another_number_is_known_by_its_name(described: Callable[..., None]) -> None:
    """Plugged in again, a webcam often gets another number, and its old one another webcam."""
    opened: list[int] = []
    source = WebcamSource(0, SETTINGS, open_camera=numbers_opened(opened))
    described({0: "Desk", 2: "Door"})
    watch(source)
    described({0: "Door", 2: "Door", 4: "Desk"}, channels=[3])
    watch(source)
    described({0: "Door"})
    watch(source)
    assert opened == [0, 4, 0]


def test_of_two_webcams_of_one_name_the_other_never_takes_its_place(described: Callable[..., None]) -> None:
    """They are told apart by where they are plugged in; one that is plugged in elsewhere is known again, too."""
    opened: list[int] = []
    source = WebcamSource(0, SETTINGS, open_camera=numbers_opened(opened))
    described({0: "HD", 2: "HD"}, ports={0: "1-1:1.0", 2: "1-2:1.0"})
    watch(source)
    described({0: "HD"}, ports={0: "1-2:1.0"})
    with pytest.raises(SourceError, match="another camera of its name is"):
        next(source.frames())
    described({0: "HD", 2: "HD"}, ports={0: "1-2:1.0", 2: "1-1:1.0"})
    watch(source)
    described({0: "HD", 3: "HD"}, ports={0: "1-2:1.0", 3: "1-4:1.0"})
    watch(source)
    assert opened == [0, 2, 3]


def test_links_to_a_webcam_are_followed_at_each_opening(tmp_path: Path) -> None:
    """A path in /dev/v4l/by-id, or of one's own, leads to whichever number the webcam has by now."""
    link, opened = tmp_path / "desk", list[int]()
    link.symlink_to("/dev/video7")
    source = open_source(str(link), SETTINGS)
    assert isinstance(source, WebcamSource)
    assert source.name == "desk"
    source._open_camera = numbers_opened(opened)
    watch(source)
    link.unlink()
    with pytest.raises(SourceError, match="no webcam at"):
        next(source.frames())
    link.symlink_to("/dev/video9")
    watch(source)
    assert opened == [7, 9]


def test_a_webcam_by_its_id_need_not_be_there_yet() -> None:
    """What is unplugged has no link; its path tells that a webcam is meant."""
    source = open_source("/dev/v4l/by-id/usb-Nobody_Has_This-video-index0", SETTINGS)
    with pytest.raises(SourceError, match=r"no webcam at .*Plug it in"):
        next(source.frames())


def lend(path: Path, instead: Path) -> Source:
    """Return a source of a video that may be taken away."""
    return open_source(UploadedVideo(path, "party.mp4", str(instead)), SETTINGS)


def test_a_lent_video_that_is_taken_away(tmp_path: Path) -> None:
    """It plays under its name again and again; taken away, it says so, and the next attempt shows what was before."""
    path = make_video(tmp_path / "original.mp4", plain_frames(4))
    source = lend(path, make_video(tmp_path / "before.mp4", plain_frames(9)))
    frames = source.frames()
    assert len(list(islice(frames, 10))) == 10
    assert (source.name, source.note, source.live) == ("party.mp4", "", False)
    path.unlink()
    with pytest.raises(SourceError, match="deleted"):
        next(frames)
    assert source.name == "party.mp4"
    assert len(list(islice(source.frames(), 10))) == 10
    assert (source.name, source.note) == ("before.mp4", "party.mp4 was deleted, so this is shown again.")


def test_a_lent_video_may_name_no_other_file(tmp_path: Path) -> None:
    """A playlist, which could name any file or host, is not followed."""
    make_video(tmp_path / "secret.ts", plain_frames(4))
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n")
    assert next(FileSource(playlist, SETTINGS).frames()).index == 0
    with pytest.raises(SourceError):
        next(lend(playlist, tmp_path).frames())


def test_a_strangers_address_leads_to_no_other(tmp_path: Path) -> None:
    """A server that is allowed cannot be made to send us on to one that is not."""

    def elsewhere(connection: Connection) -> None:
        connection.send(b"HTTP/1.0 302 Found\r\nLocation: /elsewhere\r\n\r\n")

    with network_camera(elsewhere, says("404 Not Found")) as camera:
        source = open_source(UntrustedAddress(f"http://127.0.0.1:{camera.port}/"), SETTINGS)
        with pytest.raises(SourceError):
            next(source.frames())
        assert [request.split()[1] for request in camera.requests] == [b"/"]


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://{host}/a.ts\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://{host}/a.m3u8\n",
    ],
    ids=["segments", "playlists"],
)
def test_a_strangers_playlist_leads_nowhere(playlist: str) -> None:
    """What a server that is allowed says about other hosts is not even read, let alone followed."""
    with network_camera(says("404 Not Found")) as elsewhere:
        body = playlist.format(host=f"127.0.0.1:{elsewhere.port}")
        answer = f"HTTP/1.0 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        with network_camera(lambda connection: connection.send(answer)) as camera:
            source = open_source(UntrustedAddress(f"http://127.0.0.1:{camera.port}/list.m3u8"), SETTINGS)
            with pytest.raises(SourceError):
                next(source.frames())
        assert elsewhere.connections == 0


@pytest.mark.parametrize(
    ("scheme", "act"),
    [("http", mjpeg(shows(70, forever=True))), ("rtsp", serves_rtsp([70] * 50))],
    ids=["mjpeg", "rtsp"],
)
def test_a_strangers_camera_is_shown(scheme: str, act: Act) -> None:
    """What network cameras usually send is played."""
    with network_camera(act) as camera:
        frames = open_source(UntrustedAddress(f"{scheme}://127.0.0.1:{camera.port}/live"), SETTINGS).frames()
        assert next(frames).image.mean() == pytest.approx(70, abs=5)
        frames.close()


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "avi", "jpg"])
def test_a_strangers_recording_is_shown(tmp_path: Path, ending: str) -> None:
    """So are recordings and snapshots."""
    path = tmp_path / f"clip.{ending}"
    if ending == "jpg":
        cv2.imwrite(str(path), plain_picture(70))
    else:
        make_video(path)
    data = path.read_bytes()
    header = f"HTTP/1.0 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode()
    with network_camera(lambda connection: connection.send(header + data)) as camera:
        frames = open_source(UntrustedAddress(f"http://127.0.0.1:{camera.port}/clip"), SETTINGS).frames()
        assert next(frames).image.shape == (48, 64, 3)
        frames.close()


def network_frames(port: int, scheme: str = "http", timeout: float = PATIENCE) -> Frames:
    """Return the frames of a camera on loopback."""
    return NetworkSource(f"{scheme}://me:secret@127.0.0.1:{port}/live", SETTINGS, timeout=timeout).frames()


def test_mjpeg_over_http() -> None:
    """An MJPEG camera's pictures come as they are sent; the password goes to the camera and nowhere else."""
    with network_camera(mjpeg(shows(*range(50, 90), forever=True))) as camera:
        frames = network_frames(camera.port)
        images = [next(frames).image for _ in range(5)]
        frames.close()
        assert all(image.shape == (48, 64, 3) for image in images)
        assert all(50 <= image.mean() <= 90 for image in images)
        assert images[0].mean() < images[-1].mean()


def test_rtsp() -> None:
    """An RTSP camera's H.264 pictures come as they are sent."""
    with network_camera(serves_rtsp(range(50, 200))) as camera:
        frames = network_frames(camera.port, "rtsp")
        levels = [next(frames).image.mean() for _ in range(5)]
        frames.close()
        assert levels == sorted(levels)
        assert 45 <= levels[0] < levels[-1] <= 205


def test_a_recording_at_an_address_has_times(tmp_path: Path) -> None:
    """A file on a web server is played at its own pace, and to its end."""
    data = make_video(tmp_path / "clip.mkv", plain_frames(10)).read_bytes()
    header = f"HTTP/1.0 200 OK\r\nContent-Type: video/x-matroska\r\nContent-Length: {len(data)}\r\n\r\n".encode()
    with network_camera(lambda connection: connection.send(header + data)) as camera:
        source = NetworkSource(f"http://127.0.0.1:{camera.port}/clip.mkv", ONCE, timeout=PATIENCE)
        frames = list(source.frames())
        assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(10)], abs=2e-3)
        assert not source.live


def test_a_camera_that_stalls_in_mid_frame() -> None:
    """Half a picture and then silence is an error after the time allowed, not a thread that hangs."""
    with network_camera(mjpeg(shows(10, 60), stalls)) as camera, pytest.raises(SourceError, match="No answer"):
        list(network_frames(camera.port, timeout=0.2))  # the camera is silent until it is switched off


def test_a_camera_that_refuses() -> None:
    """Nobody at the port: say so, without the password."""
    with pytest.raises(SourceError, match="refused") as refusal:
        next(network_frames(free_port()))
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("401 Unauthorized", "password"),
        ("403 Forbidden", "forbidden"),
        ("404 Not Found", "path"),
        ("503 Service Unavailable", "error"),
        ("200 OK", "not a video"),
    ],
)
def test_a_camera_that_says_no(status: str, words: str) -> None:
    """An HTTP error becomes words that say what to do, without the password."""
    with network_camera(says(status)) as camera, pytest.raises(SourceError, match=words) as refusal:
        next(network_frames(camera.port))
    assert "secret" not in str(refusal.value)


def test_a_camera_that_sends_garbage() -> None:
    """Noise instead of pictures is an error in words."""
    with network_camera(mjpeg(sends_garbage)) as camera, pytest.raises(SourceError, match="not a video"):
        list(network_frames(camera.port))


def test_a_camera_that_changes_its_resolution() -> None:
    """Frames change their size with the camera's pictures."""
    acts = shows(10, 60, 90), shows(*range(100, 130), width=128, height=96)
    shapes: list[tuple[int, ...]] = []
    with network_camera(mjpeg(*acts)) as camera, pytest.raises(SourceError, match="broke off"):
        shapes.extend(frame.image.shape for frame in network_frames(camera.port))
    assert sorted(set(shapes)) == [(48, 64, 3), (96, 128, 3)]
