"""One file of a run: analysed into a folder of its own and its parts of the run's tables, or known not to need it."""

import hashlib
import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from analysis.batch.dataset import Dataset, file_row, video_values
from analysis.batch.inputs import Source, sha256
from analysis.output.parquet import frames_table
from analysis.output.tables import columns
from analysis.recording.baseline import BaselineSource
from analysis.recording.face_table import face_rows, share_columns
from analysis.recording.picture import analyze_picture
from analysis.recording.two_pass import Progress
from analysis.recording.video import analyze_video
from config import VERSION, Settings
from entities import EXPRESSIONS, Classifier
from errors import AnalysisCancelledError, FacialExpressionError, RestError
from files import printable
from network.network_file import NETWORK
from vision.detection import load_detector
from vision.pictures import is_picture
from vision.sampling import EVERY_FRAME, Sampling

log = logging.getLogger(__name__)

State = Literal["done", "kept", "failed"]
DONE: Final = "done"
FAILED: Final = "failed"
STOPPED: Final = "stopped"
"""What `files` has of a file from when its analysis begins until it ends. Where that never happens, the row tells the
next run that what there is of results is an earlier run's, and may be replaced."""
_MIN_SHARE: Final = 0.005
"""An expression that takes less of the time is not worth a word."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run does with each file."""

    out: Path
    """The run's folder."""
    settings: Settings
    rest: BaselineSource | None = None
    """Where the resting faces come from that the others are compared with."""
    sampling: Sampling = EVERY_FRAME
    """Which frames of a video are looked at."""
    annotate: bool = False
    """Whether to make annotated videos and pictures."""
    overwrite: bool = False
    """Whether to analyse again what was analysed before."""
    run: int | None = None
    """The run's number in run.json."""

    def weights(self) -> str:
        """Return the beginning of the hash of the network's files.

        Raises:
            SourceError: One cannot be read.

        """
        model = self.settings.model
        files = (model.architecture, model.weights, model.weights.with_name(NETWORK))  # 8 bits answer differently
        hashes = "".join(sha256(path) for path in files if path.is_file())
        return hashlib.sha256(hashes.encode()).hexdigest()[:16]

    def fingerprint(self) -> str:
        """Return what changes with everything that results depend on, but for the file: settings and weights."""
        identity = {
            "version": VERSION,
            "detector": self.settings.detector.model_dump(mode="json"),
            "model": self.settings.model.model_dump(mode="json", exclude={"weights", "architecture"}),
            "weights": self.weights(),
            "columns": columns(uncorrected=self.rest is not None),
            "rest": repr(self.rest),
            "sampling": repr(self.sampling),
            "annotate": self.annotate,
        }
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Task:
    """One file that is to be analysed."""

    source: Source
    key: str
    """The name of its folder in the run's, and of its parts of the tables."""
    fingerprint: str
    """`Options.fingerprint` of the run."""
    replace: bool = False
    """Whether a folder of that name may be replaced: it is of an earlier run, or was not there when this one began."""
    weights: str = ""
    """`Options.weights` of the run."""
    known: tuple[tuple[str, str], ...] = ()
    """What `files` has of it from an earlier run: names and values of `run.KNOWN`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file."""

    task: Task
    state: State
    line: str
    """What was found, or why it failed, in a line."""
    seconds: float = 0.0
    """Of video that were looked at."""


def analyze_file(task: Task, options: Options, classifier: Classifier, progress: Progress | None = None) -> Outcome:
    """Analyse one file, unless its results are there already; what can be wrong with it is told in the outcome.

    Raises:
        KeyboardInterrupt: As with every error that is raised, nothing of the results remains.

    """
    dataset = Dataset(options.out)
    values: dict[str, Any] = {"file": task.source.name, "path": printable(task.source.address)}
    values |= {"folder": task.key, "fingerprint": task.fingerprint, "run": options.run}
    values |= {"precision": getattr(classifier, "precision", ""), "weights": task.weights}
    values |= {"rest": options.rest.kind if options.rest else "", "sampling": repr(options.sampling)}
    try:
        values["stamp"] = task.source.stamp()
        known = {} if options.overwrite else dict(task.known)
        whole = known.get("state") == DONE and (options.out / task.key).is_dir()
        same = whole and known.get("fingerprint") == task.fingerprint
        if same and values["stamp"] and known.get("stamp") == values["stamp"]:
            return _kept(dataset, task, values)
        with task.source.fetched() as path:
            values["sha256"] = sha256(path)
            values["detector"] = load_detector(options.settings.detector).title
            if same and known.get("sha256") == values["sha256"]:
                return _kept(dataset, task, values)
            stopped = {"state": STOPPED, "reason": "The run was stopped in the middle of this file; start it again."}
            dataset.reset(task.key, file_row(values | stopped))
            found, line = _analyze(path, task, options, classifier, progress)
    except AnalysisCancelledError:
        raise
    except FacialExpressionError as error:
        return _failed(dataset, task, values, str(error))
    except Exception as error:
        log.debug("%s", task.source.address, exc_info=error)
        return _failed(dataset, task, values, f"It cannot be analysed ({type(error).__name__}: {error}).")
    dataset.write("files", task.key, file_row(values | found | {"state": DONE}))
    return Outcome(task, "done", line, found.get("seconds", 0.0))


def throttled(progress: Progress, seconds: float) -> Progress:
    """Return what tells of progress once in so many seconds at most."""
    told = -seconds

    def tell(done: float, total: float) -> None:
        nonlocal told
        if time.monotonic() - told >= seconds:
            progress(done, total)
            told = time.monotonic()

    return tell


def give_up(task: Task, options: Options, attempts: int) -> Outcome:
    """Note that a file cannot be analysed, since so many processes died of it."""
    values: dict[str, Any] = {"file": task.source.name, "path": printable(task.source.address), "folder": task.key}
    values |= {"run": options.run}
    reason = f"The worker process crashed {attempts} times on this file, perhaps for lack of memory; check it."
    return _failed(Dataset(options.out), task, values, reason)


def _kept(dataset: Dataset, task: Task, values: dict[str, Any]) -> Outcome:
    """Note where a file that was analysed before is now, and what it is called."""
    now = {name: values[name] for name in ("file", "path", "stamp")}
    if not now.items() <= dict(task.known).items():
        dataset.rename(task.key, **now)
    return Outcome(task, "kept", "analysed before")


def _failed(dataset: Dataset, task: Task, values: dict[str, Any], reason: str) -> Outcome:
    dataset.reset(task.key, file_row(values | {"state": FAILED, "reason": reason}))
    return Outcome(task, "failed", reason)


def _analyze(
    path: Path, task: Task, options: Options, classifier: Classifier, progress: Progress | None
) -> tuple[dict[str, Any], str]:
    """Write the file's results and its parts of `frames` and `faces`; return what `files` has of it, and a line."""
    given: dict[str, Any] = {
        "name": task.source.name,
        "annotated": options.annotate,
        "overwrite": task.replace,
    }
    if is_picture(path):
        return _analyze_picture(path, task, options, classifier, given)
    dataset, target = Dataset(options.out), options.out / task.key
    summary = analyze_video(
        path,
        target,
        options.settings,
        classifier,
        rest=options.rest,
        sampling=options.sampling,
        progress=progress,
        **given,
    )
    dataset.copy("frames", task.key, target / "frames.parquet")
    dataset.write("faces", task.key, face_rows(task.source.name, summary["faces"]))
    shown = {name: summary["shares"][name] for name in EXPRESSIONS if summary["shares"][name] >= _MIN_SHARE}
    seen = ", ".join(f"{name} {share:.0%}" for name, share in sorted(shown.items(), key=lambda item: -item[1]))
    line = " ".join(filter(None, [f"{seen or 'no face'}{_rest_words(summary['rest'])}", summary["note"]]))
    return video_values(summary), line


def _analyze_picture(
    path: Path, task: Task, options: Options, classifier: Classifier, given: dict[str, Any]
) -> tuple[dict[str, Any], str]:
    if options.rest and not options.rest.loaded:
        raise RestError("A picture has no time in which a face is at rest. Give --rest a file that the page saved.")
    rest = options.rest.loaded if options.rest else None
    picture = analyze_picture(path, options.out / task.key, options.settings, classifier, rest=rest, **given)
    dataset, name, record = Dataset(options.out), task.source.name, picture.record
    dataset.write("frames", task.key, frames_table([record], name, uncorrected=picture.uncorrected))
    dataset.write("faces", task.key, face_rows(name, picture.summaries))
    faces = len(picture.faces)
    values = {"kind": "picture", "width": record["width"], "height": record["height"], "note": picture.note}
    values |= {"begin": 0.0, "seconds": 0.0, "frames": 1, "frames_with_faces": int(faces > 0), "faces": faces}
    values["compared"] = sum(bool(face.uncorrected) for face in picture.faces)
    seen = ", ".join(face.expression for face in picture.faces)
    turned = "It was turned to find the faces." if picture.turned else ""
    line = " ".join(filter(None, [seen or "no face", turned, picture.note]))
    return values | share_columns(picture.shares), line


def _rest_words(rest: dict[str, Any] | None) -> str:
    """Return in words which faces were compared with rests, or why none was; nothing where that was not wanted."""
    if rest is None:
        return ""
    if not rest["faces"]:
        return f" ({rest['note']})"
    faces = ", ".join(str(face["id"]) for face in rest["faces"])
    doubts = f". {rest['note']}" if rest["note"] else ""
    return f" (compared with {'its rest' if len(rest['faces']) == 1 else 'their rests'}: face {faces}{doubts})"
