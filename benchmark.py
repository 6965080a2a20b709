"""How fast and how steady it is: every stage of a frame's path, another package, and many viewers.

    python benchmark.py                                the demo clip at 640x480 and 1280x720, and eight faces
    python benchmark.py clip.mp4 --size own            another video as it is
    python benchmark.py --detector yunet               with one of the two detectors only
    python benchmark.py --peer fer                     beside the package fer, on the same frames
    python benchmark.py --viewers 100                  the real server, watched by a hundred clients
    python benchmark.py --cameras 1 2 4                the real server with so many cameras at once
    python benchmark.py --archive                      eight clips of a minute, as analyze.py does them
    python benchmark.py --soak 10                      the same for ten minutes, in which they come and go

Times are those of this computer at this moment: leave it alone while it measures.
"""

import parts  # noqa: F401  # first: says what is missing of the others

# isort: split
import argparse
import platform
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from benchmarks import archive, report, several, stages, viewers
from benchmarks import peer as peers
from benchmarks import soak as soaks
from benchmarks.clips import SIZE, make_clips
from benchmarks.reference import reference_probabilities
from benchmarks.scenes import CrowdScene, Scene, VideoScene, own_size
from classifier import load_classifier
from config import DEMO_CLIP, DetectorSettings, Settings, load_settings
from entities import Classifier, Frame
from errors import FacialExpressionError, SourceError
from files import write_json
from process import processors, share_processors
from vision.detection import DETECTORS

ARCHIVE: Final = ("one", "tables", "annotate", "fps")
"""What --archive measures: tables with one worker; tables, annotated videos and five frames a second with several."""
CLIPS: Final = 8
CLIP_SECONDS: Final = 60.0
SIZES: Final = ["640x480", "1280x720"]
CROWD: Final = 20
"""Viewers at a time, at most, who come and go, unless told otherwise."""


def main(arguments: Sequence[str] | None = None, classifier: Classifier | None = None) -> int:
    """Run the command; return its exit status: 0, or 1 where something is missing or broken."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = parse(arguments)
    try:
        figures: dict[str, Any] = {"command": shlex.join(["python", "benchmark.py", *arguments]), "machine": machine()}
        try:
            run(options, figures, classifier)
        finally:
            if figures.keys() & {
                "scenes",
                "archive",
                "cameras",
            }:  # what was measured before something failed is not lost
                write_json(figures, options.json)
    except FacialExpressionError as error:
        print(f"benchmark.py: {error}", file=sys.stderr)
        return 1
    return 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the command line's options; exits with usage where they are wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("videos", nargs="*", type=Path, default=[DEMO_CLIP], metavar="VIDEO", help="instead of the demo clip")
    add("--size", action="append", type=size, metavar="WxH", help=f"or own, for the video's; {' and '.join(SIZES)}")
    add("--frames", type=at_least(1), metavar="N", help="only the first N of each video")
    add(
        "--faces", type=at_least(0), default=8, metavar="N", help="of the scene of many faces (%(default)s); 0 for none"
    )
    add("--detector", choices=DETECTORS, help="only this one; if not given, each")
    add("--peer", choices=sorted(peers.SCRIPTS), help="another package to run on the same frames")
    add("--peer-python", type=Path, default=peers.DEFAULT_PYTHON, metavar="FILE", help="of the peer's environment")
    add("--viewers", type=at_least(1), metavar="N", help="also start the server, and watch it with N clients")
    add("--seconds", type=at_least(1.0), default=10, help="for which they watch (%(default)s)")
    add(
        "--cameras",
        nargs="+",
        type=at_least(1),
        metavar="N",
        help="start the server with N cameras that all show the video, each with one client, instead of all else",
    )
    add(
        "--soak",
        type=at_least(0.1),
        metavar="MINUTES",
        help="also see what the server keeps of viewers who come and go",
    )
    add(
        "--archive",
        nargs="*",
        choices=[*ARCHIVE, "stages"],
        metavar="MODE",
        help=f"analyse eight clips with one and two faces instead: {', '.join(ARCHIVE)}, stages; all if none is named",
    )
    add("--workers", type=at_least(1), default=2, metavar="N", help="processes that --archive takes (%(default)s)")
    add("--config", type=Path, metavar="FILE", help="settings; default: config.toml, if there is one")
    add("--json", metavar="FILE", help="write the figures as JSON; - for standard output")
    add("--plot", type=picture_file, metavar="FILE", help="write the time of each stage as a picture")
    options = parser.parse_args(arguments)
    options.size = options.size or [size(text) for text in SIZES]
    return options


def size(text: str) -> tuple[int, int] | None:
    """Return width and height; None for "own"."""
    if text == "own":
        return None
    match = re.fullmatch(r"(\d{2,4})x(\d{2,4})", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text} is not a size: write 640x480, say, or own")
    return int(match[1]), int(match[2])


def picture_file(text: str) -> Path:
    """Return the path of a picture in a format that can be written; without an ending it is PNG."""
    path, known = Path(text), Figure().canvas.get_supported_filetypes()
    if path.suffix and path.suffix.lower().removeprefix(".") not in known:
        raise argparse.ArgumentTypeError(f"{text} must end in one of .{', .'.join(known)}")
    return path


def at_least(lowest: float) -> Callable[[str], float]:
    """Return what reads a number of `lowest` or more, whole where that is an int, from the command line."""

    def read(text: str) -> float:
        with suppress(ValueError):
            value = type(lowest)(text)
            if value >= lowest:
                return value
        raise argparse.ArgumentTypeError(f"{text} is no {'whole ' * isinstance(lowest, int)}number of {lowest} or more")

    return read


def run(options: argparse.Namespace, figures: dict[str, Any], classifier: Classifier | None = None) -> None:
    """Measure what the options ask for; print tables, and add to the figures as they come.

    Raises:
        FacialExpressionError: A video, the model or the server fails.

    """
    out = sys.stderr if options.json == "-" else sys.stdout
    settings = load_settings(file=options.config)
    share_processors()
    if options.cameras:
        figures["cameras"] = several.measure(options.videos[0], options.cameras, options.seconds)
        print(report.cameras_table(figures["cameras"]), file=out)
        return
    if options.archive is not None:
        run_archive(options, figures, settings)
        return
    classifier = classifier or load_classifier(settings.model)
    peer = find_peer(options)
    scenes = list(choose_scenes(options))
    progress = Progress(options.frames)
    kinds = [options.detector] if options.detector else DETECTORS
    detectors = [settings.model_copy(update={"detector": DetectorSettings(kind=kind)}) for kind in kinds]
    # Our own times first: nothing else has made the processor hot by then, or its memory full.
    measured = [(s, d, stages.measure(s, d, classifier, progress)) for s in scenes for d in detectors]
    peer_figures: dict[str, dict[str, Any]] = {}
    for scene, chosen, result in measured:
        result.searched = stages.measure_search(scene, chosen, progress)
        if len(result.crops):
            reference = reference_probabilities(result.crops, settings.model)
            result.difference = float(np.abs(reference - result.raw).max())
        if peer and scene.name not in peer_figures:
            peer_figures[scene.name] = run_peer(peer, options.peer_python, scene, progress)
        result.peer = compare(peer_figures.get(scene.name, {}), result)
    results = [result for _, _, result in measured]
    print(report.table(results, peer), file=out)
    figures["scenes"] = [result.as_json() for result in results]
    if options.plot:
        report.write_plot(report.plot(results, peer), options.plot)
    if options.viewers:
        lifetime = viewers.measure_lifetime(options.videos[0])
        audiences = viewers.measure(options.videos[0], options.viewers, options.seconds)
        figures |= {"lifetime": asdict(lifetime), "viewers": audiences}
        print(f"\n{report.lifetime_line(lifetime)}\n{report.viewers_table(audiences)}", file=out)
    if options.soak:
        soak = soaks.measure(options.videos[0], options.viewers or CROWD, options.soak)
        figures["soak"] = soak.as_json()
        print(f"\n{report.soak_table(soak)}", file=out)


def run_archive(options: argparse.Namespace, figures: dict[str, Any], settings: Settings) -> None:
    """Measure how fast many clips are analysed; print a table, and add to the figures."""
    out = sys.stderr if options.json == "-" else sys.stdout
    wanted = options.archive or [*ARCHIVE, "stages"]
    runs = {
        "one": ("tables", 1),
        "tables": ("tables", options.workers),
        "annotate": ("annotate", options.workers),
        "fps": ("fps 5", options.workers),
    }
    with tempfile.TemporaryDirectory() as folder:
        clips = make_clips(Path(folder), CLIPS if set(wanted) & runs.keys() else 2, CLIP_SECONDS)
        rates = [
            archive.measure_rate(mode, clips, settings, count)
            for mode, count in (runs[name] for name in wanted if name in runs)
        ]
        stages = archive.measure_stages(clips[:2], settings) if "stages" in wanted else {}
        peer = find_peer(options)
        found = run_peer(peer, options.peer_python, VideoScene(clips[0], SIZE), Progress(300)) if peer else {}
    figures["archive"] = {"rates": [asdict(rate) for rate in rates], "stages": stages, "peer": found}
    print(archive.table(rates, stages, found), file=out)


def find_peer(options: argparse.Namespace) -> str | None:
    """Return the peer that was asked for, if it is there; else say how to install it."""
    if not options.peer:
        return None
    try:
        peers.check(options.peer, options.peer_python)
    except peers.PeerError as error:
        print(error, file=sys.stderr)
        return None
    return str(options.peer)


def run_peer(peer: str, python: Path, scene: Scene, progress: "Progress") -> dict[str, Any]:
    """Return the peer's figures; nothing where it fails, which is told in words."""
    try:
        return peers.run(peer, python, scene, progress)
    except peers.PeerError as error:
        print(error, file=sys.stderr)
        return {}


def compare(figures: dict[str, Any], result: stages.SceneResult) -> dict[str, Any]:
    """Return a peer's figures with its time over ours."""
    # Means: ours looks at most frames briefly and searches some, which a sum of medians would leave out.
    ours = result.stages["detect"].mean + result.stages["classify"].mean
    return figures and figures | {"ratio": figures["mean"] / ours}


def choose_scenes(options: argparse.Namespace) -> Iterator[Scene]:
    """Yield each video in each size, and a scene of many faces from the first.

    Raises:
        SourceError: A video cannot be read, or there shall be many faces and it shows none.

    """
    own = {}
    for path in options.videos:
        try:
            own[path] = own_size(path)  # whether it can be read is known before minutes of measuring
        except SourceError as error:
            raise SourceError(f"{path}: {error}") from error
        for chosen in options.size:
            yield VideoScene(path, chosen or own[path])
    if options.faces:
        first = options.videos[0]
        crowd = CrowdScene(first, options.size[0] or own[first], options.faces)
        next(crowd.frames())  # Whether there is a face is known before minutes of measuring.
        yield crowd


@dataclass(frozen=True)
class Progress:
    """Passes on the first frames, or all, and shows how far it is."""

    limit: int | None

    def __call__(self, frames: Iterable[Frame], name: str) -> Iterable[Frame]:
        """Show a progress bar with this name."""
        return tqdm(islice(frames, self.limit), desc=name, total=self.limit, unit=" frames", leave=False)


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    packages = ("opencv-python-headless", "openvino", "keras")
    return {
        "processors": processors(),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }


if __name__ == "__main__":
    sys.exit(main())
