"""One video -> a folder with the annotated video, tables, summary, timeline, key moments and a ZIP of them all."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from analysis.history import History, Moment, shares
from analysis.limits import check_file_size, check_length
from analysis.reading import Progress, Reading
from analysis.rest import RestWanted
from analysis.results import moment_name, pack, results_folder
from analysis.spreadsheet import write_spreadsheet
from analysis.tables import FrameTables, frame_record
from analysis.timeline import draw_timeline, timeline_record
from analysis.writer import VideoWriter
from config import Settings
from entities import Classifier
from errors import AnalysisCancelledError
from files import printable
from pipeline import ExpressionPipeline
from vision.absence import Absences
from vision.annotation import annotate, encode_jpeg, hide_faces
from vision.videos import VideoFile

_MOMENT_QUALITY: Final = 90


def analyze_video(
    path: Path,
    target: Path,
    settings: Settings,
    classifier: Classifier,
    *,
    name: str = "",
    rest: RestWanted | None = None,
    blur: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Analyse a video file frame by frame.

    Args:
        path: The video.
        target: The folder to make; it is there once everything is complete.
        settings: `uploads` limits the video; `detector` and `model` say how faces are found and judged.
        classifier: Names the expressions.
        name: What the video is called in the results; the file's own name if not given.
        rest: Where the resting faces come from that the others are compared with; they are not compared if not given.
        blur: Whether to hide the faces in everything that is shown of the video.
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

    limits = settings.uploads
    check_file_size(path, limits)
    with VideoFile(path, limits.max_video_megapixels, limits.max_video_seconds) as video:
        total = video.info.duration
        check_length(total, limits)
        with results_folder(target, overwrite=overwrite) as folder:
            history = History()
            reading = Reading(ExpressionPipeline(settings, classifier), limits, check, progress)
            absences = Absences()
            if progress:
                progress(0.0, total)
            if rest:
                reading.look_ahead(path, rest)
            tables = FrameTables(folder, video.info.width, video.info.height, as_seen=rest is not None)
            writer = VideoWriter(folder / "annotated.mp4", video.info, path, check)
            with tables, writer:
                for frame, faces in reading.faces(video):
                    time = frame.time or 0.0
                    gone = absences.update(faces, time)
                    shown = hide_faces(frame.image, faces, gone) if blur else frame.image
                    annotated = annotate(shown, faces, numbers=history.several or len(faces) > 1)
                    writer.write(annotated, time)
                    tables.append(frame_record(frame.index, time, faces))
                    history.append(frame, faces, shown, annotated)
            told = {"name": name or printable(path.name), "sound": writer.sound, "rest": reading.rest}
            summary = _conclude(folder, video, history, told)
    if progress:
        progress(summary["duration"], summary["duration"])
    return summary


def _conclude(folder: Path, video: VideoFile, history: History, told: dict[str, Any]) -> dict[str, Any]:
    """Write what can only be told at the end, and return the summary."""
    frames = len(history.times)
    duration = video.end
    faces = history.faces(duration)
    moments = sorted(history.moments.values(), key=lambda moment: moment.time)
    summary: dict[str, Any] = {
        "name": told["name"],
        "width": video.info.width,
        "height": video.info.height,
        "duration": round(duration, 4),
        "fps": round(frames / duration, 4),
        "frames": frames,
        "frames_with_faces": history.with_faces,
        "sound": told["sound"],
        "rest": told["rest"],
        "changes": 0,
        "shares": shares(faces),
        "faces": [face.record() for face in faces],
        "moments": [moment.record() for moment in moments],
        "timeline": timeline_record(faces, duration, frames),
    }
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    draw_timeline(folder / "timeline.png", told["name"], faces, duration, frames)
    _write_moments(folder, moments)
    write_spreadsheet(folder / "frames.csv")
    pack(folder)
    return summary


def _write_moments(folder: Path, moments: list[Moment]) -> None:
    for moment in moments:
        (folder / moment_name(moment.face.expression)).write_bytes(encode_jpeg(moment.picture, _MOMENT_QUALITY))
