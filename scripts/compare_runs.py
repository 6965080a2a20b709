"""Checks that an archive gives the same tables with one worker, with two, and on a Dask cluster that loses a worker.

    python scripts/compare_runs.py                         200 pictures and 20 clips
    python scripts/compare_runs.py --pictures 20 --clips 4

Pictures and clips are made from the samples beside the repository where they are there, otherwise from two portraits.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from analysis.batch.dataset import TABLES, Dataset  # noqa: E402
from benchmarks.clips import PORTRAITS, SAMPLES, make_clips  # noqa: E402
from vision.pictures import read_picture  # noqa: E402

CLIP_SECONDS = 4.0
SIDE = 320


def main() -> int:
    """Make the files, analyse them three times, and compare; return 0 if all tables are the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=200, metavar="N")
    parser.add_argument("--clips", type=int, default=20, metavar="N")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files, out = Path(folder) / "files", Path(folder) / "out"
        files.mkdir()
        make_pictures(files, options.pictures)
        make_clips(files, options.clips, CLIP_SECONDS)
        analyze(files, out / "one", "--workers", "1")
        analyze(files, out / "two", "--workers", "2")
        with cluster(Path(folder)) as (address, victim):
            analyze(files, out / "dask", "--dask", address, victim=victim)
        different = [
            f"{table} of {other}"
            for other in ("two", "dask")
            for table in TABLES
            if not Dataset(out / "one").read(table).equals(Dataset(out / other).read(table))
        ]
        rows = {table: len(Dataset(out / "one").read(table)) for table in TABLES}
    print(f"Rows: {rows}. {'Different: ' + ', '.join(different) if different else 'All tables are the same.'}")
    return 1 if different else 0


def make_pictures(folder: Path, count: int) -> None:
    """Write pictures of faces that differ in size, light and tilt."""
    known = [SAMPLES / name for name in ("astronaut.png", "grace_hopper.jpg", "couple.jpg")]
    known = [path for path in known if path.is_file()] or sorted(PORTRAITS.glob("*.[jp][pn]g"))
    shown = [read_picture(path, 50).image for path in known]
    for number in range(count):
        image = shown[number % len(shown)]
        scale = SIDE / max(image.shape[:2]) * (0.7 + 0.3 * (number % 7) / 6)
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        height, width = small.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), number % 21 - 10, 1)
        tilted = cv2.warpAffine(small, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
        lit = np.clip(tilted * (0.6 + 0.05 * (number % 13)), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"picture-{number:03}.png"), lit)


def analyze(files: Path, out: Path, *arguments: str, victim: "subprocess.Popen[bytes] | None" = None) -> None:
    """Run the command; kill the victim once a third of the files are done."""
    began = time.monotonic()
    command = [sys.executable, "analyze.py", str(files), "--out", str(out), *arguments]
    third = len(list(files.iterdir())) // 3
    with subprocess.Popen(command, cwd=ROOT) as run:  # noqa: S603
        while run.poll() is None:
            if victim and len(list(out.glob("files/*.parquet"))) >= third:
                victim.send_signal(signal.SIGKILL)
                print(f"Killed a worker after {third} files")
                victim = None
            time.sleep(0.1)
    print(f"{' '.join(arguments[:2])}: {time.monotonic() - began:.0f} s, exit status {run.returncode}", flush=True)


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Give the address of a scheduler on loopback with two workers, and one of these."""
    import distributed

    where = folder / "scheduler.json"
    local = ["--scheduler-file", str(where), "--host", "127.0.0.1", "--no-dashboard"]
    with ExitStack() as stack:

        def start(*arguments: str) -> "subprocess.Popen[bytes]":
            command = [sys.executable, "-m", "dask", *arguments, *local]
            started = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)  # noqa: S603
            process = stack.enter_context(started)
            stack.callback(process.kill)
            return process

        start("scheduler", "--port", "0")
        workers = [start("worker", "--nthreads", "1", "--no-nanny") for _ in range(2)]
        while not where.exists():
            time.sleep(0.1)
        connect: Any = distributed.Client
        with connect(scheduler_file=str(where), set_as_default=False) as client:
            client.wait_for_workers(len(workers))
            address = client.scheduler.address
        yield address, workers[0]


if __name__ == "__main__":
    sys.exit(main())
