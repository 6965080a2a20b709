"""Only some frames of a video are looked at: they are the same, at the same times, as when all are."""

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.footage import make_video, plain_frames
from vision.sampling import Sampling
from vision.video.video_file import VideoFile


@pytest.fixture(scope="module", params=["mp4", "mkv", "ts", "avi"])
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a video of four seconds with 25 frames a second and a key frame every 12th, in several containers."""
    path = tmp_path_factory.mktemp("sampled") / f"clip.{request.param}"
    return make_video(path, plain_frames(100), codec="mpeg4" if request.param == "avi" else "libx264")


def looked_at(video: Path, sampling: Sampling) -> dict[int, tuple[float, float]]:
    """Return the time and the mean grey of each frame that is looked at, by index."""
    with VideoFile(video, sampling=sampling) as file:
        return {frame.index: (frame.time or 0.0, float(np.mean(frame.image))) for frame in file.frames()}


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling(fps=5), range(0, 100, 5)),
        (Sampling(every=6), range(0, 100, 6)),
        (Sampling(begin=3.0), range(75, 100)),
        (Sampling(begin=1.0, end=2.0), range(25, 50)),
        (Sampling(fps=5, begin=2.0, end=3.0), range(50, 75, 5)),
        (Sampling(fps=100), range(100)),
        (Sampling(begin=9.0), range(0)),
    ],
)
def test_frames_are_those_of_the_whole_video(video: Path, sampling: Sampling, expected: range) -> None:
    """Index, time and picture of what is looked at are as in the whole video, whether it was sought or not."""
    whole = looked_at(video, Sampling())
    some = looked_at(video, sampling)
    assert list(some) == list(expected)
    for index, (time, grey) in some.items():
        assert time == pytest.approx(whole[index][0], abs=1e-6)
        assert grey == pytest.approx(whole[index][1], abs=0.01)


def test_the_end_is_where_looking_ends(video: Path) -> None:
    """The last frame that is looked at lasts to the end that was asked for, or to that of the video."""
    for end, expected in ((2.0, 2.0), (99.0, 4.0)):
        with VideoFile(video, sampling=Sampling(begin=1.0, end=end)) as file:
            list(file.frames())
            assert (file.begin, file.end) == pytest.approx((1.0, expected), abs=0.05)
