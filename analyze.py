"""The expressions of faces in pictures and videos, from the command line.

    python analyze.py holiday.mp4 portrait.jpg --out results

Every file gets a folder of its own in --out. A video's has the annotated video with its sound, every frame as CSV,
Excel file and JSON, a summary, a timeline, the strongest moment of each expression, and a ZIP file of them all; a
picture's has the annotated picture and its faces as CSV, Excel file and JSON.

With --rest, faces are compared with what they look like at rest, and the tables have both: as seen, and compared.
"""

import argparse
import io
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from analysis.picture import analyze_picture
from analysis.rest import RestWanted, load_rest, parse_rest
from analysis.video import analyze_video
from config import Settings, load_settings
from entities import EXPRESSIONS, Classifier
from errors import FacialExpressionError, RestError
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
        rest = wanted_rest(options.rest) if options.rest else None
        classifier = classifier or load_classifier(settings)
        failures = 0
        taken: set[Path] = set()
        for path in options.files:
            target = new_target(options.out, path, taken)
            try:
                print(analyze(path, target, settings, classifier, rest=rest, overwrite=options.overwrite))
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
        "--rest",
        metavar="REST",
        help="compare faces with their resting faces: those in a time of the video (0:03-0:06); those that are found "
        "in it (auto; videos of a minute and more); or that in a file which the page saved, for the face that is seen "
        "longest, in a picture for the largest",
    )
    parser.add_argument(
        "--detector", metavar="KIND", help="what finds the faces: auto (yunet where it is there), haar or yunet"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace results that are already there")
    return parser.parse_args(arguments)


def wanted_rest(text: str) -> RestWanted:
    """Return where resting faces come from: a time, auto, or a file.

    Raises:
        FacialExpressionError: It is none of these, or the file holds no resting face.

    """
    path = Path(text)
    if path.suffix.lower() == ".json" or path.is_file():
        return RestWanted("loaded", loaded=load_rest(path))
    return parse_rest(text)


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


def analyze(
    path: Path,
    target: Path,
    settings: Settings,
    classifier: Classifier,
    *,
    rest: RestWanted | None = None,
    overwrite: bool = False,
) -> str:
    """Analyse one file into the folder `target`; return what was found, in a line.

    Raises:
        FacialExpressionError: It cannot be read, is too large or too long, or its results cannot be written.

    """
    if not is_picture(path):
        return analyze_with_progress(path, target, settings, classifier, rest=rest, overwrite=overwrite)
    if rest and not rest.loaded:
        raise RestError("A picture has no time in which a face is at rest. Give --rest a file that the page saved.")
    loaded = rest.loaded if rest else None
    picture = analyze_picture(path, target, settings, classifier, rest=loaded, overwrite=overwrite)
    seen = ", ".join(face["expression"] for face in picture["faces"])
    turned = "It was turned to find the faces." if picture["turned"] else ""
    return " ".join(filter(None, [f"{path}: {seen or 'no face'} -> {target}", turned, picture["note"]]))


def analyze_with_progress(
    path: Path,
    target: Path,
    settings: Settings,
    classifier: Classifier,
    *,
    rest: RestWanted | None = None,
    overwrite: bool = False,
) -> str:
    """Analyse a video with a progress bar in seconds of the video; return what was found, in a line."""
    form = "{l_bar}{bar}| {n:.1f}/{total:.1f} s of video [{elapsed} gone, {remaining} to go]"
    with tqdm(desc=printable(path.name), total=0, bar_format=form, leave=False, delay=0.1) as bar:

        def show(done: float, total: float) -> None:
            bar.total = total
            bar.update(done - bar.n)

        summary = analyze_video(path, target, settings, classifier, rest=rest, overwrite=overwrite, progress=show)
    shares = {name: summary["shares"][name] for name in EXPRESSIONS if summary["shares"][name] >= 0.005}
    seen = ", ".join(f"{name} {share:.0%}" for name, share in sorted(shares.items(), key=lambda item: -item[1]))
    return f"{path}: {seen or 'no face'}{rest_words(summary['rest'])} -> {target}"


def rest_words(rest: dict[str, Any] | None) -> str:
    """Return in words which faces were compared with rests, or why none was; nothing where that was not wanted."""
    if rest is None:
        return ""
    if not rest["faces"]:
        return f" ({rest['note']})"
    faces = ", ".join(str(face["id"]) for face in rest["faces"])
    doubts = f". {rest['note']}" if rest["note"] else ""
    return f" (compared with {'its rest' if len(rest['faces']) == 1 else 'their rests'}: face {faces}{doubts})"


if __name__ == "__main__":
    sys.exit(main())
