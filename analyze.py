"""The expressions of faces in pictures and videos: from the command line, and in Python.

    python analyze.py holiday.mp4 portrait.jpg --out results
    python analyze.py clips/ --annotate
    python analyze.py @list.txt --format csv
    python analyze.py clips/ --markers markers.csv --groups groups.csv
    python analyze.py talks/ --pairs pairs.csv

Inputs are files, folders, patterns, lists of files (@list.txt, - for standard input) and addresses (s3://, https://).
The folder of results has report.html and the run's tables, which pandas, Polars, DuckDB and R's arrow read: frames,
faces, files, intervals (stretches in which a face shows an expression), and what is known of markers, groups and pairs.
Every file gets a folder of its own in it. A video's has every frame as CSV, Excel file, JSON and Parquet, a summary, a
timeline, the strongest moment of each expression, its intervals as CSV, as subtitles and for ELAN, and a ZIP file of
them all; a picture's has its faces as CSV, Excel file and JSON. With --annotate, it also has the video, with its sound,
or the picture, with what was found drawn in.

What was analysed before, with the same content, settings and weights, is not analysed again.

With --rest, faces are compared with what they look like at rest, and the tables have both: as seen, and compared.

In Python:

    from analyze import analyze_image, analyze_video
    result = analyze_video("clip.mp4")
    result.frames, result.faces, result.intervals, result.plot()
"""

import parts  # noqa: F401  # first: says what is missing of the others

# isort: split
import argparse
import io
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Final

import PIL.Image
from tqdm import tqdm

from analysis.batch.cluster import run_on_cluster
from analysis.batch.console import Console
from analysis.batch.dataset import RESERVED, TABLES, Dataset
from analysis.batch.execution import Listener, load_network, run_here, run_in_processes
from analysis.batch.inputs import Found, find_files
from analysis.batch.record import begin_run, end_run, forget_names
from analysis.batch.run import forget, only_run, plan, unnamed
from analysis.batch.task import Options, Outcome, Task
from analysis.pairs.pair_list import Pairs, read_pairs
from analysis.pairs.pair_study import FOLDER as PAIRS
from analysis.pairs.pair_study import TABLES as PAIR_TABLES
from analysis.pairs.pair_study import conclude_pairs
from analysis.pairs.synchrony import Windows
from analysis.recording.baseline import BaselineSource, load_rest, parse_rest, rest_between
from analysis.recording.picture import look_at_picture
from analysis.recording.result import Result
from analysis.recording.times import parse_time
from analysis.recording.video import VideoAnalysis, open_video
from analysis.study.person_tables import Exclusion
from analysis.study.study import REPORT, Lists, conclude, read_lists
from analysis.study.study_tables import shortened
from classifier import load_classifier
from config import IntervalSettings, Settings, described, load_settings
from entities import Classifier, Image
from errors import FacialExpressionError, RestError
from files import printable
from process import processors
from vision.pictures import pillow_pixels
from vision.sampling import EVERY_FRAME, Sampling

STOPPED: Final = 130
"""The usual exit status after Ctrl-C."""


def main(arguments: Sequence[str] | None = None, classifier: Classifier | None = None) -> int:
    """Analyse the files that the command line names; return 0, 1 if one of them failed, or 130 after Ctrl-C."""
    print_any_name()
    options = parse(arguments)
    try:
        run = run_options(options)
        if options.forget:
            return forgotten(run, options)
        found = find_files(options.inputs, sys.stdin, run.out)
        command = sys.argv[1:] if arguments is None else arguments
        with only_run(run.out):
            failed = analyze_all(found, run, options, command, classifier)
    except FacialExpressionError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"Stopped. What was done is in {options.out}; the same command goes on from there.", file=sys.stderr)
        return STOPPED
    return 1 if failed else 0


def analyze_all(
    found: Found, run: Options, options: argparse.Namespace, command: Sequence[str], classifier: Classifier | None
) -> bool:
    """Analyse files, and write what they show together; return whether one of them failed.

    Raises:
        FacialExpressionError: The lists cannot be used, the network cannot be loaded, or results cannot be written.

    """
    tasks = plan(found.files, run)
    written = [run.out / f"{name}.csv" for name in RESERVED] if options.format == "csv" else []
    others = unnamed(run.out, tasks)
    kept = others if options.keep_others else {}
    names = [*(task.source.name for task in tasks), *kept.values()]
    paths = {task.source.name: task.source.address for task in tasks}
    lists = read_lists(options.markers, options.groups, names, paths=paths, written=written)
    pairs = read_pair_list(options, names, paths)
    lists = lists.noting(left_out(found) + not_named(list(others.values()), kept=options.keep_others))
    run = replace(run, run=begin_run(run, command, vars(options)))
    dataset = Dataset(run.out)
    for key in (*(task.key for task in tasks), *kept):
        dataset.bring_back(key)
    dataset.write_left_out(found.left_out)
    failed = failures(tasks, run, options, classifier)
    for outcome in failed:
        print(f"{outcome.task.source.address}: {outcome.line}", file=sys.stderr)
    for key in others.keys() - kept.keys():
        dataset.put_aside(key)
    end_run(run)
    conclude_all(run, lists, pairs, options, kept=kept.values())
    return bool(failed)


def read_pair_list(
    options: argparse.Namespace, names: Sequence[str], paths: Mapping[str, str] | None = None
) -> Pairs | None:
    """Return the list of pairs, where there is one.

    Raises:
        StudyError: It cannot be used.

    """
    written = [options.out / PAIRS / f"{table}.csv" for table in PAIR_TABLES]
    return read_pairs(options.pairs, names, paths=paths, written=written) if options.pairs else None


def failures(
    tasks: Sequence[Task], run: Options, options: argparse.Namespace, classifier: Classifier | None
) -> list[Outcome]:
    """Analyse the files, and show how far that is; return those that failed.

    Raises:
        FacialExpressionError: The network cannot be loaded, or the results cannot be written.

    """
    failed = []
    with Console(tasks, run, quiet=options.quiet) as console:
        for outcome in execute(tasks, run, options, classifier, console.progress):
            console.finished(outcome)
            if outcome.state == "failed":
                failed.append(outcome)
    return failed


def forgotten(run: Options, options: argparse.Namespace) -> int:
    """Delete what the folder of results has of some files, and make its tables and report anew; return 0.

    Raises:
        FacialExpressionError: A file is not in the results, or the lists or the folder cannot be used.

    """
    with only_run(run.out):
        forget(run.out, options.forget)
        forget_names(run.out, options.forget)
        names = list(unnamed(run.out, []).values())
        lists = read_lists(options.markers, options.groups, names) if names else Lists()
        pairs = read_pair_list(options, names) if names else None
        conclude_all(run, lists, pairs, options, kept=names)
    for name in options.forget:
        print(f"{name}: forgotten. A run that names the recording analyses it again: delete it, too.", file=sys.stderr)
    return 0


def left_out(found: Found) -> list[str]:
    """Return a note about files in folders that are not looked at."""
    if not found.left_out:
        return []
    names = [f"{Path(path).name} ({why})" for path, why in found.left_out.items()]
    return [f"Left out of folders: {shortened(names)}. To have one analysed all the same, name it."]


def not_named(files: Sequence[str], *, kept: bool) -> list[str]:
    """Return a note about files of earlier runs that this one does not name."""
    if not files:
        return []
    what = "and still in the tables" if kept else "and left out of tables and report"
    how = "--forget deletes what is known of a file" + ("." if kept else ", --keep-others keeps all.")
    return [f"Not named in this run, {what}: {shortened(files)}. {how}"]


def conclude_all(
    run: Options, lists: Lists, pairs: Pairs | None, options: argparse.Namespace, *, kept: Collection[str]
) -> None:
    """Write what the files show together, and the report; print what somebody has to know about it.

    Raises:
        ResultsError: It cannot be written.

    """
    csv, quiet = options.format == "csv", options.quiet
    windows = Windows(options.pair_window, options.pair_lag)
    with progress_bar("Pairs", "person", quiet=quiet) as show:
        section, said = conclude_pairs(run.out, pairs, windows, csv=csv, progress=show)
    sections = [section] if section else []
    exclusion = Exclusion(options.min_seconds, options.min_share)
    with progress_bar("Tables and report", "file", quiet=quiet) as show:
        notes = conclude(
            run.out,
            lists.noting(said),
            run.settings,
            exclusion=exclusion,
            sections=sections,
            csv=csv,
            kept=kept,
            progress=show,
        )
    for table in TABLES:
        if csv:
            Dataset(run.out).write_csv(table)
        else:
            (run.out / f"{table}.csv").unlink(missing_ok=True)
    for note in notes:
        print(note, file=sys.stderr)
    if not quiet:
        print(f"Report: {run.out / REPORT}")


@contextmanager
def progress_bar(what: str, unit: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Give what shows how many of something are done, of how many."""
    with tqdm(desc=what, unit=unit, leave=False, delay=0.5, disable=quiet) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def execute(
    tasks: Sequence[Task], run: Options, options: argparse.Namespace, classifier: Classifier | None, listener: Listener
) -> Iterator[Outcome]:
    """Analyse the files where the options say; yield what became of each."""
    if options.dask:
        return run_on_cluster(tasks, run, options.dask, listener)
    workers = min(options.workers or processors(), len(tasks))
    if classifier or workers <= 1:
        return run_here(tasks, run, classifier or load_network(run.settings), listener)
    return run_in_processes(tasks, run, workers, listener)


def print_any_name() -> None:
    """Let names be printed that the terminal's encoding, or any, does not have: what is missing is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for add_options in (_add_file_options, _add_study_options, _add_run_options):
        add_options(parser.add_argument)
    given = sys.argv[1:] if arguments is None else arguments
    options = parser.parse_args([named_like_an_option(text) for text in given])
    if bool(options.inputs) == bool(options.forget):
        parser.error("name files to analyse, or with --forget files to delete from the results")
    if options.begin >= options.end:
        parser.error("--from must be before --to")
    return options


def _add_file_options(add: Callable[..., object]) -> None:
    """Add what is analysed, where the results go, and how faces are found and judged."""
    add("inputs", nargs="*", metavar="INPUT", help="files, told apart by their content; folders, lists, addresses")
    add("--out", type=Path, default=Path("results"), metavar="DIR", help="default: %(default)s")
    add("--config", type=Path, metavar="FILE", help="settings; default: config.toml, if there is one")
    add(
        "--rest",
        metavar="REST",
        help="compare faces with their resting faces: those in a time of the video (0:03-0:06); those that are found "
        "in it (auto; videos of a minute and more); or that in a file which the page saved, for the face that is seen "
        "longest, in a picture for the largest",
    )
    add("--detector", metavar="KIND", help="what finds the faces: yunet (auto, the default) or haar")


def _add_study_options(add: Callable[..., object]) -> None:
    """Add what the files show together, and of whom."""
    add(
        "--markers",
        type=Path,
        metavar="FILE",
        help="CSV with file, time, label: what happens from when on; or BIDS events.tsv, or a folder of those",
    )
    add("--groups", type=Path, metavar="FILE", help="CSV with file, group, person: groups of people to compare")
    add(
        "--pairs",
        type=Path,
        metavar="FILE",
        help="CSV with pair, file, late: two recordings of one conversation, and when it begins in each",
    )
    windows = Windows()
    add(
        "--pair-window",
        type=positive(float),
        default=windows.seconds,
        metavar="N",
        help="seconds of a window in which two people's curves are correlated; default: %(default)g",
    )
    add(
        "--pair-lag",
        type=positive(float),
        default=windows.max_lag,
        metavar="N",
        help="seconds by which one person may follow the other; default: %(default)g",
    )
    for name in IntervalSettings.model_fields:
        help_text = described(f"intervals.{name}")
        add(f"--interval-{name}", dest=f"intervals.{name}", default=argparse.SUPPRESS, metavar="N", help=help_text)
    add(
        "--keep-others",
        action="store_true",
        help="keep what this run does not name, and an earlier one analysed, in the tables and the report",
    )
    add("--forget", action="append", metavar="FILE", help="delete all that DIR has of a file; may be repeated")
    needed = "that a person needs under a marker, and over all, to count in groups"
    add("--min-seconds", type=positive(float), default=0.0, metavar="N", help=f"usable seconds {needed}")
    add("--min-share", type=share, default=0.0, metavar="N", help=f"usable share (0 to 1) of the time {needed}")


def _add_run_options(add: Callable[..., object]) -> None:
    """Add which frames are looked at, by how many processes, and what is written and printed."""
    add("--fps", type=positive(float), metavar="N", help="look at N frames a second at most, evenly spread")
    add("--every", type=positive(int), default=1, metavar="N", help="look at every Nth frame")
    add("--from", dest="begin", type=seconds, default=0.0, metavar="TIME", help="where to begin, as 0:30")
    add("--to", dest="end", type=seconds, default=inf, metavar="TIME", help="where to end, as 2:00")
    add("--workers", type=positive(int), metavar="N", help="processes; default: as many as there are processors")
    add("--dask", metavar="ADDRESS", help="of a Dask scheduler, as tcp://host:8786, on whose workers to analyse")
    add("--annotate", action="store_true", help="make annotated videos and pictures, too")
    add("--format", choices=("parquet", "csv"), default="parquet", help="csv: the run's tables as CSV files, too")
    add("--overwrite", action="store_true", help="analyse again what was analysed before, and replace its results")
    add(
        "--quiet",
        action=argparse.BooleanOptionalAction,
        default=not sys.stdout.isatty(),
        help="print only what fails; the default where the output is no terminal",
    )


def named_like_an_option(text: str) -> str:
    """Return an argument, and that which is the name of a file although it begins with a hyphen as a path."""
    return f"./{text}" if text != "-" and text.startswith("-") and Path(text).is_file() else text


def positive(kind: type[float]) -> Callable[[str], float]:
    """Return what reads a number above 0 from the command line."""

    def read(text: str) -> float:
        with suppress(ValueError):
            value = kind(text)
            if 0 < value < inf:
                return value
        raise argparse.ArgumentTypeError(f"{text} is no {'whole ' * (kind is int)}number above 0")

    return read


def share(text: str) -> float:
    """Return a share of the command line, 0 to 1."""
    with suppress(ValueError):
        if 0 <= (value := float(text)) <= 1:
            return value
    raise argparse.ArgumentTypeError(f"{text} is no share from 0 to 1")


def seconds(text: str) -> float:
    """Return a time of the command line in seconds."""
    try:
        return parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def run_options(options: argparse.Namespace) -> Options:
    """Return what the command line says of every file.

    Raises:
        FacialExpressionError: A setting, or what --rest says, is wrong.

    """
    given = {name: value for name, value in vars(options).items() if name.startswith("intervals.")}
    if options.detector:
        given["detector.kind"] = options.detector
    settings = load_settings(given, options.config)
    return Options(
        out=options.out.absolute(),
        settings=without_limits(settings),
        rest=wanted_rest(options.rest) if options.rest else None,
        sampling=Sampling(options.fps, options.every, options.begin, options.end),
        annotate=options.annotate,
        overwrite=options.overwrite,
    )


def without_limits(settings: Settings) -> Settings:
    """Return the settings with the limits on uploads that somebody set; the defaults are meant for visitors."""
    given = {name: getattr(settings.uploads, name) for name in settings.uploads.model_fields_set}
    return settings.model_copy(update={"uploads": settings.uploads.model_copy(update=_OWN_FILES | given)})


_OWN_FILES: Final = {
    "max_megabytes": 1000,
    "max_megapixels": 200,
    "max_video_megabytes": 1_000_000,
    "max_video_seconds": 86_400,
    "max_video_megapixels": 40,
    "max_video_gigapixels": 1_000_000,
}
"""Limits on files of one's own: what would take all memory is refused all the same."""


def wanted_rest(given: str | Path | tuple[float, float]) -> BaselineSource:
    """Return where resting faces come from: a time, as a text or in seconds, auto, or a file.

    Raises:
        FacialExpressionError: It is none of these, or the file holds no resting face.

    """
    if not isinstance(given, str | Path):
        return rest_between(given)
    text, path = str(given), Path(given)
    if path.suffix.lower() == ".json" or path.is_file():
        return BaselineSource("loaded", loaded=load_rest(path))
    return parse_rest(text)


_loaded: Final = lru_cache(maxsize=1)(load_classifier)
"""The network that all calls in a program share."""


def analyze_video(
    path: str | Path,
    *,
    rest: str | Path | tuple[float, float] | None = None,
    sampling: Sampling = EVERY_FRAME,
    settings: Settings | None = None,
    classifier: Classifier | None = None,
) -> Result:
    """Analyse a video; nothing is written to disk.

    Args:
        path: The video: any that FFmpeg reads, upright or turned.
        rest: Where the resting faces come from that the others are compared with: a time such as "0:03-0:06" or
            (3, 6) in seconds, "auto", or the path of a file that the page saved.
        sampling: Which frames are looked at: `Sampling(fps=5)`, `Sampling(begin=30, end=120)` (seconds).
        settings: Default: those of config.toml, where there is one.
        classifier: What names the expressions; the shipped network if not given, which is loaded once.

    Returns:
        Tables as pandas DataFrames: `frames` (a row a face and frame: time and duration in seconds, boxes in pixels,
        seven probabilities, 0-1, summing to 1), `faces` (a row a person), `intervals` (a row a stretch in which a face
        shows an expression: onset, peak, offset and duration in seconds); `plot()` is the timeline, `write(folder)`
        writes what the command does. All frames' rows are in memory: some 5 MB a minute and face.

    Raises:
        SourceError: The video is missing or broken, too large (VideoSizeError), or has none of the frames asked for.
        RestError: In the time that `rest` asks for, no face is seen.
        ModelError: The network cannot be loaded.

    """
    path, settings = Path(path), without_limits(settings or load_settings())
    with open_video(path, settings.uploads, sampling) as video:
        analysis = VideoAnalysis(video, path, settings, classifier or _loaded(settings.model))
        records = [seen.record for seen in analysis.frames(wanted_rest(rest) if rest else None)]
        name = printable(path.name)
        return Result(name, records, analysis.findings(name))


def analyze_image(
    image: str | Path | bytes | Image | PIL.Image.Image,
    *,
    rest: str | Path | None = None,
    settings: Settings | None = None,
    classifier: Classifier | None = None,
) -> Result:
    """Analyse a picture; nothing is written to disk.

    Args:
        image: A path, a file's bytes, a Pillow image, or pixels: (H, W, 3) uint8 BGR, as OpenCV reads it, or (H, W)
            uint8 grey.
        rest: The path of a resting face that the page saved, compared with the largest face.
        settings: As for `analyze_video`.
        classifier: As for `analyze_video`.

    Returns:
        As for `analyze_video`, with one frame that lasts for no time; `plot()` is the annotated picture.

    Raises:
        ImageError: The picture is missing or broken, of an unknown type or too large.
        RestError: `rest` is no saved resting face.
        ModelError: The network cannot be loaded.

    """
    settings = without_limits(settings or load_settings())
    file = pillow_pixels(image) if isinstance(image, PIL.Image.Image) else image
    file = Path(file) if isinstance(file, str) else file
    name = printable(file.name) if isinstance(file, Path) else "picture"
    wanted = wanted_rest(rest) if rest else None
    if wanted and not wanted.loaded:
        raise RestError("A picture has no time in which a face is at rest. Give a file that the page saved.")
    loaded = wanted.loaded if wanted else None
    found = look_at_picture(file, settings, classifier or _loaded(settings.model), name=name, rest=loaded)
    return Result(name, [found.record], found)


if __name__ == "__main__":
    sys.exit(main())
