"""The bundled clip shows two faces in motion, and begins anew without a seam."""

import importlib.util
from collections import deque
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path

import av
import cv2
import numpy as np

from config import DEMO_CLIP, Settings
from entities import Frame, Image
from pipeline import ExpressionPipeline
from tests.helpers.footage import FixedClassifier

ROOT = Path(__file__).resolve().parent.parent


def clip_frames() -> Iterator[Image]:
    """Yield the clip's frames; all at once would take half a gigabyte."""
    with av.open(str(DEMO_CLIP)) as clip:
        for frame in clip.decode(video=0):
            yield frame.to_ndarray(format="bgr24").astype(np.uint8, copy=False)


def test_it_is_short_and_small_and_plays_everywhere() -> None:
    """It is 8 to 14 seconds of H.264 in its most widely known form, in less than 2.5 MB, without sound."""
    assert DEMO_CLIP.stat().st_size < 2_500_000
    with av.open(str(DEMO_CLIP)) as clip:
        stream = clip.streams.video[0]
        assert len(clip.streams) == 1
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert clip.duration is not None
        assert 8 <= clip.duration / av.time_base <= 14


def test_faces_are_found_in_nearly_every_frame() -> None:
    """A viewer sees a marked face in practically every frame, and two in many."""
    pipeline = ExpressionPipeline(Settings(), FixedClassifier())
    third = islice(clip_frames(), 0, None, 3)
    found = [len(pipeline.process(Frame(image, i, i / 10))[0]) for i, image in enumerate(third)]
    assert np.mean([count >= 1 for count in found]) >= 0.98
    assert np.mean([count == 2 for count in found]) >= 0.3
    assert max(found) == 2


def test_it_moves() -> None:
    """No two frames that follow each other are the same."""
    with av.open(str(DEMO_CLIP)) as clip:
        small = [frame.to_ndarray(format="gray", width=96, height=54).astype(int) for frame in clip.decode(video=0)]
    assert min(np.abs(after - before).mean() for before, after in pairwise(small)) > 0.02


def test_it_begins_anew_without_a_seam() -> None:
    """From the last frame to the first is as small a step as between the first and the second."""
    frames = clip_frames()
    first, second = next(frames), next(frames)
    (last,) = deque(frames, maxlen=1)
    small = [cv2.GaussianBlur(frame, (9, 9), 0).astype(int) for frame in (last, first, second)]
    seam, step = (np.abs(after - before).mean() for before, after in pairwise(small))
    assert seam < 2 * step + 0.5


def test_its_script_still_makes_it() -> None:
    """The clip in the repository is what scripts/make_demo.py draws from the photographs."""
    spec = importlib.util.spec_from_file_location("make_demo", ROOT / "scripts" / "make_demo.py")
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    drawn, shown = next(script.pictures()), next(clip_frames())
    assert drawn.shape == shown.shape
    assert np.abs(drawn.astype(int) - shown).mean() < 6
