"""Measure the network on FER2013, or on people whom you know.

    python evaluate.py --data data/fer2013.csv --votes data/fer2013new.csv
    python evaluate.py --people FOLDER

On FER2013 it is compared with the labels and, where given, with the votes of FER+'s ten raters. On people, of whom
FOLDER has pictures or videos (FOLDER/anna/happy/1.jpg, ...), it is told how often it is right about each of them: as it
sees them, compared with their resting faces, and adapted to them. FOLDER/people.csv (person, group) adds groups.
"""

import parts  # noqa: F401  # first: says what is missing of the others

# isort: split
import argparse
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tqdm import tqdm

from config import ROOT, DetectorSettings, load_settings
from entities import EXPRESSIONS
from errors import FacialExpressionError
from files import write_json, write_whole
from model import FacialExpressionModel
from training.data import people_files
from training.data.fer2013 import USAGES, load
from training.metrics import people, people_report
from training.metrics.evaluation import TITLES, compare, compare_conditions, plots
from training.metrics.turning import load_pictures, measure_turning
from vision.detection import DETECTORS, FaceDetector

CHUNK: Final = 64
PORTRAITS: Final = [ROOT / "tests" / "data" / name for name in ("astronaut.png", "grace_hopper.jpg")]
MEASURES: Final = {
    "rows": ("rows", "{:,}"),
    "accuracy": ("accuracy", "{:.1%}"),
    "labels_agree": ("  of FER2013's labels", "{:.1%}"),
    "accuracy_agreed": ("  where both name the same", "{:.1%}"),
    "accuracy_disputed": ("  where they do not", "{:.1%}"),
    "balanced_accuracy": ("balanced accuracy", "{:.1%}"),
    "votes_for_predicted": ("votes for the predicted", "{:.1%}"),
    "macro_f1": ("macro F1", "{:.1%}"),
    "negative_log_likelihood": ("negative log-likelihood", "{:.3f}"),
    "votes_entropy": ("  at best (votes' entropy)", "{:.3f}"),
    "calibration_error": ("calibration error (15 bins)", "{:.4f}"),
    "classwise_calibration_error": ("  of all seven probabilities", "{:.4f}"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0, or 1 where something is missing or broken."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parse(arguments)
    try:
        if options.detector:
            measure_detector(options, arguments)
        elif options.people:
            measure_people(options, arguments)
        elif options.rest_rows:
            measure_rest_rows(options, arguments)
        else:
            measure_rows(options, arguments)
    except FacialExpressionError as error:
        print(f"evaluate.py: {error}", file=sys.stderr)
        return 1
    return 0


def measure_rows(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Measure on FER2013.

    Raises:
        FacialExpressionError: Something is missing or broken, or cannot be written.

    """
    rows = load(options.data, options.votes).split(options.usage)
    model = FacialExpressionModel(options.model, options.weights)
    probabilities = predict(model, rows.images)
    results = {
        **_origin(arguments),
        "usage": options.usage,
        "precision": model.precision,
        "parameters": model.parameters,
        "multiply_adds": model.multiply_adds,
        **compare(probabilities, rows),
    }
    if options.conditions:
        results["conditions"] = compare_conditions(partial(predict, model), rows)
    _show(table(results), options)
    write_json(results, options.json)
    if options.plots:
        save(plots(probabilities, rows, results.get("conditions")), options.plots)


def measure_people(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Measure on a folder of people.

    Raises:
        FacialExpressionError: Something is missing or broken, or cannot be written.

    """
    files = people_files.find(options.people)
    groups = people_files.read_groups(options.people, {file.person for file in files})
    settings = load_settings()
    model = FacialExpressionModel(options.model, options.weights)
    with tqdm(total=len(files), desc="Files", unit=" files", leave=False) as progress:
        answers, left_out = people_files.answers(files, settings, model, progress.update)
    figures = people.score_people(answers, groups)
    results = {
        **_origin(arguments),
        **figures,
        "left_out": {path.relative_to(options.people).as_posix(): why for path, why in left_out.items()},
    }
    _show(people_report.people_table(figures), options)
    for path, why in left_out.items():
        print(f"left out: {path}: {why}", file=sys.stderr)
    write_json(results, options.json)
    if options.plots:
        save(people_report.people_plots(figures), options.plots)


def measure_rest_rows(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Measure what a resting face and an adaptation bring, on recorded answers.

    Raises:
        FacialExpressionError: Something is missing or broken, or cannot be written.

    """
    recorded = people.read_rows(options.rest_rows)
    figures = {network: people.score_rows(answers) for network, answers in recorded.items()}
    _show(people_report.rows_table(figures), options)
    write_json({**_origin(arguments), "networks": figures}, options.json)
    if options.plots:
        for network, answers in recorded.items():
            save(people_report.people_plots(people.score_people(answers, {})), options.plots / network)


def _origin(arguments: Sequence[str]) -> dict[str, Any]:
    """Return the command, and what it ran on, as the figures keep it."""
    return {
        "command": shlex.join(["python", "evaluate.py", *arguments]),
        "versions": {name: version(name) for name in ("keras", "openvino")},
    }


def _show(text: str, options: argparse.Namespace) -> None:
    """Print a table, beside the figures where those go to standard output."""
    print(text, file=sys.stderr if options.json == "-" else sys.stdout)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the command line's options; exits with usage where they are wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    on = parser.add_mutually_exclusive_group(required=True)
    on.add_argument("--data", type=Path, help="fer2013.csv, icml_face_data.csv or a folder of images")
    on.add_argument("--people", type=Path, metavar="FOLDER", help="pictures or videos by person and expression")
    on.add_argument(
        "--rest-rows",
        type=Path,
        metavar="CSV",
        help="recorded answers about people: network, person, posed, and the logarithms of the seven probabilities",
    )
    on.add_argument(
        "--detector",
        choices=DETECTORS,
        help="measure instead how well this finds faces, and its crops serve the network, in turned and small pictures",
    )
    parser.add_argument(
        "--pictures", type=Path, nargs="+", default=PORTRAITS, metavar="FILE", help="and videos, for --detector"
    )
    parser.add_argument("--usage", choices=USAGES, default="PublicTest", help="split to measure on (%(default)s)")
    parser.add_argument("--votes", type=Path, help="FER+'s fer2013new.csv, for the same rows")
    parser.add_argument("--model", type=Path, default=ROOT / "model.json", help="architecture (model.json)")
    parser.add_argument(
        "--weights", type=Path, default=ROOT / "model_weights.h5", help="its weights (model_weights.h5)"
    )
    parser.add_argument(
        "--conditions", action="store_true", help="measure on blurred, dark and other worse pictures too"
    )
    parser.add_argument("--json", metavar="FILE", help="write the figures as JSON; - for standard output")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="write the plots as PNG into this folder")
    return parser.parse_args(arguments)


def measure_detector(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Measure a detector; print and write what was found."""
    settings = DetectorSettings(kind=options.detector)
    model = FacialExpressionModel(options.model, options.weights)
    results = {
        "command": shlex.join(["python", "evaluate.py", *arguments]),
        "detector": options.detector,
        **measure_turning(FaceDetector(settings), model.predict, load_pictures(options.pictures)),
    }
    _show(turning_table(results), options)
    write_json(results, options.json)


def turning_table(results: dict[str, Any]) -> str:
    """Return the figures of a detector as text for people."""
    lines = [f"{results['detector']}: {results['faces']} faces in the pictures as they are", ""]
    lines.append(f"{'':<26}{'found':>9}{'same answer':>13}{'false faces':>13}")
    for name, figures in results["conditions"].items():
        found, agreement = ("-" if figures[key] is None else f"{figures[key]:.1%}" for key in ("found", "agreement"))
        lines.append(f"{name:<26}{found:>9}{agreement:>13}{figures['false']:>13}")
    return "\n".join(lines)


def predict(model: FacialExpressionModel, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (n, 7) probabilities for (n, 48, 48) grey faces, with a progress bar."""
    chunks = []
    with tqdm(total=len(images), desc="Faces", unit=" faces", leave=False) as progress:
        for start in range(0, len(images), CHUNK):
            chunks.append(model.predict(images[start : start + CHUNK]))
            progress.update(len(chunks[-1]))
    return np.concatenate(chunks)


def table(results: dict[str, Any]) -> str:
    """Return the figures as text for people."""
    columns = [kind for kind in TITLES if kind in results]
    labelled = [results[kind] for kind in columns if kind != "votes"]
    size = (
        f"{results['parameters'] / 1e6:.2f} M parameters, {results['multiply_adds'] / 1e6:.0f} M multiply-adds a face, "
        f"{results['precision']}"
    )
    lines = [f"{results['usage']}: {size}", "", _line("", [TITLES[kind] for kind in columns])]
    for measure, (name, form) in MEASURES.items():
        values = [results[kind].get(measure) for kind in columns]
        if any(value is not None for value in values):
            lines.append(_line(name, ["" if value is None else form.format(value) for value in values]))
    lines += ["", _line("", [f"{'precision':>10}{'recall':>8}{'rows':>7}" for _ in labelled])]
    for index, name in enumerate(EXPRESSIONS):
        lines.append(_line(name, [_cell(scores, index) for scores in labelled]))
    if "conditions" in results:
        lines += ["", *_conditions(**results["conditions"])]
    return "\n".join(lines)


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name:<30}" + "".join(f"{cell:>27}" for cell in cells)


def _cell(scores: dict[str, Any], index: int) -> str:
    precision, recall = (
        "-" if share is None else f"{share:.1%}" for share in (scores["precision"][index], scores["recall"][index])
    )
    return f"{precision:>10}{recall:>8}{scores['support'][index]:>7,}"


def _conditions(against: str, scores: dict[str, dict[str, float]]) -> list[str]:
    head = f"{f'{TITLES[against]}, faces':<40}{'accuracy':>12}{'balanced accuracy':>20}"
    return [head] + [
        f"{name:<40}{shares['accuracy']:>12.1%}{shares['balanced_accuracy']:>20.1%}" for name, shares in scores.items()
    ]


def save(figures: dict[str, Figure], folder: Path) -> None:
    """Write figures as PNG files named after their keys."""
    for name, figure in figures.items():
        write_whole(folder / f"{name}.png", partial(figure.savefig, dpi=150))


if __name__ == "__main__":
    sys.exit(main())
