"""One video, frame by frame: what it shows, and a folder of results made of that."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from matplotlib.figure import Figure

from analysis.output.interval_files import add_intervals
from analysis.output.result_folder import moment_name, pack, results_folder
from analysis.output.sinks import frame_sinks
from analysis.output.spreadsheet import write_spreadsheet
from analysis.output.tables import Record, frame_record, quality_record
from analysis.output.writer import VideoWriter
from analysis.recording.baseline import BaselineSource
from analysis.recording.history import FaceHistory, History, Moment, shares
from analysis.recording.limits import check_file_size, check_length
from analysis.recording.timeline import timeline_figure, timeline_record
from analysis.recording.times import length
from analysis.recording.two_pass import Progress, Reading
from config import Settings, UploadSettings
from entities import Classifier, Face, Frame, Image
from errors import AnalysisCancelledError, SourceError
from files import printable
from pipeline import ExpressionPipeline
from vision.absence import RecentlyLost
from vision.annotation import annotate, encode_jpeg, hide_faces
from vision.quality import quality_of
from vision.sampling import EVERY_FRAME, Sampling
from vision.video.video_file import VideoFile

_MOMENT_QUALITY: Final = 90


@dataclass
class SeenFrame:
    """One frame, and what is seen in it."""

    frame: Frame
    faces: tuple[Face, ...]
    shown: Image
    """(H, W, 3) BGR: its picture, or that with the faces hidden."""
    record: dict[str, Any]
    """As `tables.frame_record` has it."""
    numbers: bool
    """Whether numbers have to tell the faces apart."""

    @property
    def time(self) -> float:
        """Seconds from the first frame."""
        return self.frame.time or 0.0

    @cached_property
    def annotated(self) -> Image:
        """The picture with what was found drawn into it."""
        return annotate(self.shown, self.faces, numbers=self.numbers)


@dataclass(frozen=True, slots=True)
class VideoFindings:
    """What a whole video showed."""

    summary: dict[str, Any]
    """As `summary.json` says it."""
    faces: list[FaceHistory]
    """The longest seen first."""
    moments: list[Moment]

    @property
    def uncorrected(self) -> bool:
        """Whether faces were compared with resting faces."""
        return self.summary["rest"] is not None

    @property
    def interval_limits(self) -> dict[str, float]:
        """What makes an interval: the arguments of `intervals.find_intervals`."""
        return dict(self.summary["interval_limits"])

    @property
    def summaries(self) -> list[dict[str, Any]]:
        """Each face's summary, the longest seen first."""
        return list(self.summary["faces"])

    def plot(self) -> Figure:
        """Return the timeline: the probabilities of the longest seen faces over time."""
        summary = self.summary
        return timeline_figure(summary["name"], self.faces, (summary["begin"], summary["duration"]), summary["frames"])

    def write(self, folder: Path, records: Iterable[Record]) -> None:
        """Write everything but the annotated video into a folder.

        Args:
            folder: It is there already.
            records: The video's frames.

        Raises:
            OSError: It cannot be written.

        """
        summary = self.summary
        size = summary["width"], summary["height"]
        with frame_sinks(folder, summary["name"], *size, uncorrected=self.uncorrected) as append:
            for record in records:
                append(record)
        self.conclude(folder)

    def conclude(self, folder: Path) -> None:
        """Write what is told of the video as a whole into a folder that has its tables of frames; and the ZIP.

        Raises:
            OSError: It cannot be written.

        """
        media = Path("annotated.mp4") if (folder / "annotated.mp4").is_file() else Path(self.summary["name"])
        add_intervals(folder, self.summary, media)
        (folder / "summary.json").write_text(json.dumps(self.summary, indent=1) + "\n", encoding="utf-8")
        self.plot().savefig(folder / "timeline.png")
        for moment in self.moments:
            picture = encode_jpeg(moment.picture, _MOMENT_QUALITY)
            (folder / moment_name(moment.face.expression)).write_bytes(picture)
        write_spreadsheet(folder / "frames.csv")
        pack(folder)


class VideoAnalysis:
    """A video on its way through the pipeline.

    Args:
        video: Opened, and not read from yet.
        path: Its file.
        settings: `detector` and `model` say how faces are found and judged; `uploads` limits what is read; `intervals`
            says what is one.
        classifier: Names the expressions.
        blur: Whether to hide the faces in everything that is shown of the video.
        progress: Told after every frame how far it is.
        check: Called before every frame; may raise what ends the analysis.

    """

    def __init__(
        self,
        video: VideoFile,
        path: Path,
        settings: Settings,
        classifier: Classifier,
        *,
        blur: bool = False,
        progress: Progress | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._video = video
        self._path = path
        self._blur = blur
        self._uploads = settings.uploads
        self._history = History()
        self._limits = settings.intervals.model_dump()
        self._reading = Reading(ExpressionPipeline(settings, classifier), settings.uploads, check, progress)
        if progress:
            progress(0.0, video.length)

    def frames(self, rest: BaselineSource | None = None) -> Iterator[SeenFrame]:
        """Yield frame after frame, once.

        Args:
            rest: Where the resting faces come from that the others are compared with.

        Raises:
            SourceError: The video is broken, or larger or longer than allowed (VideoSizeError).
            RestError: In the time that `rest` asks for, no face is seen.

        """
        if rest:
            with open_video(self._path, self._uploads, self._video.sampling) as video:
                self._reading.look_ahead(video, rest)
        recently_lost, history = RecentlyLost(), self._history
        for frame, duration, faces in self._reading.faces(self._video):
            time = frame.time or 0.0
            lost = recently_lost.update(faces, time)
            shown = hide_faces(frame.image, faces, lost) if self._blur else frame.image
            extra = [quality_record(face, quality_of(face, frame.image)) for face in faces]
            record = frame_record(frame.index, time, duration, faces, extra)
            seen = SeenFrame(frame, faces, shown, record, numbers=history.several or len(faces) > 1)
            history.append(frame, faces, shown, lambda seen=seen: seen.annotated)  # type: ignore[misc]
            yield seen
        if not history.times:
            raise SourceError(f"It lasts {length(self._video.info.duration)}: none of its frames is asked for.")

    def findings(self, name: str, sound: str = "none") -> VideoFindings:
        """Return what the video showed, when all its frames have been taken.

        Args:
            name: What the video is called.
            sound: What became of its sound: "copied", "converted" or "none".

        """
        history, info = self._history, self._video.info
        frames, begin, duration = len(history.times), self._video.begin, self._video.end
        faces = history.faces(duration)
        moments = sorted(history.moments.values(), key=lambda moment: moment.time)
        summary = {
            "name": name,
            "width": info.width,
            "height": info.height,
            "begin": round(begin, 4),
            "duration": round(duration, 4),
            "fps": round(frames / (duration - begin), 4),
            "frames": frames,
            "frames_with_faces": history.with_faces,
            "note": self._video.note,
            "sound": sound,
            "rest": self._reading.rest,
            "changes": 0,
            "interval_limits": self._limits,
            "shares": shares(faces),
            "faces": [face.record() for face in faces],
            "moments": [moment.record() for moment in moments],
            "timeline": timeline_record(faces, (begin, duration), frames),
        }
        return VideoFindings(summary, faces, moments)


@contextmanager
def open_video(path: Path, limits: UploadSettings, sampling: Sampling = EVERY_FRAME) -> Iterator[VideoFile]:
    """Open a video that keeps within the limits, to look at some of its frames.

    Raises:
        SourceError: It is missing, broken, or larger or longer than allowed (VideoSizeError).

    """
    check_file_size(path, limits)
    with VideoFile(path, limits.max_video_megapixels, limits.max_video_seconds, sampling) as video:
        check_length(video.info.duration, limits)
        yield video


def analyze_video(
    path: Path,
    target: Path,
    settings: Settings,
    classifier: Classifier,
    *,
    name: str = "",
    rest: BaselineSource | None = None,
    blur: bool = False,
    sampling: Sampling = EVERY_FRAME,
    annotated: bool = True,
    overwrite: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Analyse a video file into a folder: tables, summary, timeline, key moments, annotated video, a ZIP of them all.

    Args:
        path: The video.
        target: The folder to make; it is there once everything is complete.
        settings: `uploads` limits the video; `detector` and `model` say how faces are found and judged, and `intervals`
            what an interval is.
        classifier: Names the expressions.
        name: What the video is called in the results; the file's own name if not given.
        rest: Where the resting faces come from that the others are compared with; they are not compared if not given.
        blur: Whether to hide the faces in everything that is shown of the video.
        sampling: Which of its frames are looked at.
        annotated: Whether to make the annotated video.
        overwrite: Whether an existing folder may be replaced.
        progress: Told after every frame how far it is.
        cancelled: Asked before every frame, and while sound is written, whether to stop.

    Returns:
        What `summary.json` says.

    Raises:
        SourceError: The video is missing, broken, or larger or longer than allowed (VideoSizeError).
        RestError: In the time that `rest` asks for, no face is seen.
        ResultsError: The results cannot be written.
        AnalysisCancelledError: `cancelled` said so. As with every error, nothing is left in the target's place.

    """

    def check() -> None:
        if cancelled and cancelled():
            raise AnalysisCancelledError("Stopped. Nothing was kept.")

    called = name or printable(path.name)
    with open_video(path, settings.uploads, sampling) as video, results_folder(target, overwrite=overwrite) as folder:
        analysis = VideoAnalysis(video, path, settings, classifier, blur=blur, progress=progress, check=check)
        with ExitStack() as stack:
            size = video.info.width, video.info.height
            append = stack.enter_context(frame_sinks(folder, called, *size, uncorrected=rest is not None))
            writer = None
            if annotated:
                writer = stack.enter_context(VideoWriter(folder / "annotated.mp4", video.info, path, check))
            for seen in analysis.frames(rest):
                append(seen.record)
                if writer:
                    writer.write(seen.annotated, seen.time, seen.record["duration"])
        findings = analysis.findings(called, writer.sound if writer else "none")
        findings.conclude(folder)
    if progress:
        seconds = findings.summary["duration"] - findings.summary["begin"]
        progress(seconds, seconds)
    return findings.summary
