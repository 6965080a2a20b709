"""The expressions of faces in pictures and videos, from the command line.

    python analyze.py holiday.mp4 portrait.jpg --out results

Every file gets a folder of its own in --out. A video's has the annotated video with its sound, every frame as CSV,
Excel file and JSON, a summary, a timeline, the strongest moment of each expression, and a ZIP file of them all; a
picture's has the annotated picture and its faces as CSV, Excel file and JSON.
"""

import argparse
import io
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tqdm import tqdm

from analysis.picture import analyze_picture
from analysis.video import analyze_video
from config import Settings, load_settings
from entities import EXPRESSIONS, Classifier
from errors import FacialExpressionError
from files import printable, short_name
from vision.detection import choose
from vision.pictures import is_picture

log = logging.getLogger(__name__)

STOPPED: Final = 130
"""The usual exit status after Ctrl-C."""


def main(arguments: Sequence[str] | None = None, classifier: Classifier | None = None) -> int:
    """Analyse the files that the command line names; return 0, 1 if one of them failed, or 130 after Ctrl-C."""
    print_any_name()
    options = parse(arguments)
    try:
        settings = load_settings({"detector.kind": options.detector} if options.detector else {}, options.config)
        if (choice := choose(settings.detector)).fallback:
            print(choice.note, file=sys.stderr)
        classifier = classifier or load_classifier(settings)
        failures = 0
        taken: set[Path] = set()
        for path in options.files:
            target = new_target(options.out, path, taken)
            try:
                print(analyze(path, target, settings, classifier, overwrite=options.overwrite))
            except FacialExpressionError as error:
                failures += 1
                print(f"{path}: {error}", file=sys.stderr)
            except Exception as error:
                failures += 1
                log.debug("%s", path, exc_info=error)
                print(f"{path}: It cannot be analysed ({type(error).__name__}: {error}).", file=sys.stderr)
    except FacialExpressionError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Of the file that was being analysed, nothing was kept.", file=sys.stderr)
        return STOPPED
    return 1 if failures else 0


def print_any_name() -> None:
    """Let names be printed that the terminal's encoding, or any, does not have: what is missing is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="VIDEO_OR_IMAGE", help="told apart by their content")
    parser.add_argument("--out", type=Path, default=Path("results"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings; default: config.toml, if there is one")
    parser.add_argument(
        "--detector", metavar="KIND", help="what finds the faces: auto (yunet where it is there), haar or yunet"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace results that are already there")
    return parser.parse_args(arguments)


def load_classifier(settings: Settings) -> Classifier:
    """Load the network; this takes seconds, so that nothing else waits for it to be imported."""
    from model import FacialExpressionModel

    return FacialExpressionModel(settings.model.architecture, settings.model.weights)


def new_target(out: Path, path: Path, taken: set[Path]) -> Path:
    """Return a folder in `out` named after the file, unlike those taken in this run."""
    name = short_name(path.stem)
    target, number = out / name, 1
    while target in taken:
        number += 1
        target = out / f"{name}-{number}"
    taken.add(target)
    return target


def analyze(path: Path, target: Path, settings: Settings, classifier: Classifier, *, overwrite: bool) -> str:
    """Analyse one file into the folder `target`; return what was found, in a line.

    Raises:
        FacialExpressionError: It cannot be read, is too large or too long, or its results cannot be written.

    """
    if not is_picture(path):
        return analyze_with_progress(path, target, settings, classifier, overwrite=overwrite)
    picture = analyze_picture(path, target, settings, classifier, overwrite=overwrite)
    seen = ", ".join(face["expression"] for face in picture["faces"])
    turned = "It was turned to find the faces." if picture["turned"] else ""
    return " ".join(filter(None, [f"{path}: {seen or 'no face'} -> {target}", turned, picture["note"]]))


def analyze_with_progress(
    path: Path, target: Path, settings: Settings, classifier: Classifier, *, overwrite: bool
) -> str:
    """Analyse a video with a progress bar in seconds of the video; return what was found, in a line."""
    form = "{l_bar}{bar}| {n:.1f}/{total:.1f} s of video [{elapsed} gone, {remaining} to go]"
    with tqdm(desc=printable(path.name), total=0, bar_format=form, leave=False, delay=0.1) as bar:

        def show(done: float, total: float) -> None:
            bar.total = total
            bar.update(done - bar.n)

        summary = analyze_video(path, target, settings, classifier, overwrite=overwrite, progress=show)
    shares = {name: summary["shares"][name] for name in EXPRESSIONS if summary["shares"][name] >= 0.005}
    seen = ", ".join(f"{name} {share:.0%}" for name, share in sorted(shares.items(), key=lambda item: -item[1]))
    return f"{path}: {seen or 'no face'} -> {target}"


if __name__ == "__main__":
    sys.exit(main())
