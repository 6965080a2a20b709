"""Makes the networks that ship, from nothing but FER2013 and FER+: `python -m training.make_model DATA VOTES`.

`make model` calls it. A stage whose result is there is not made again, and a stopped one carries on after its last
finished epoch.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

from tqdm import tqdm

from config import ROOT
from errors import TrainingError
from files import write_text
from training.backend import choose_backend
from training.commands import exit_status
from training.epochs import epochs_done, watch_epochs
from training.recipe import RECIPE, RESULTS, Stage, read_recipe

LOG: Final = RESULTS / "recipe.log"


class Inputs(NamedTuple):
    """What all stages are made from."""

    data: str
    votes: str
    recipe: Path


class Progress:
    """One bar for all stages, in epochs, and a line for each stage that ends; for any number of threads."""

    def __init__(self, stages: list[Stage]) -> None:
        self._done = {stage.name: epochs_done(ROOT / stage.folder / "log.csv") for stage in stages}
        total = sum(stage.epochs for stage in stages if not stage.members)
        self._bar = tqdm(total=total, initial=sum(self._done.values()), unit="epoch", dynamic_ncols=True)
        self._lock = Lock()

    def update(self, stage: Stage, epochs: int) -> None:
        """Take note of how many epochs of a stage are done."""
        with self._lock:
            self._done[stage.name] = epochs
            self._bar.update(sum(self._done.values()) - self._bar.n)

    def say(self, line: str) -> None:
        """Print a line above the bar, and add it to the log with the time."""
        with self._lock:
            tqdm.write(line)
            (ROOT / LOG).parent.mkdir(parents=True, exist_ok=True)
            with (ROOT / LOG).open("a", encoding="utf-8") as log:
                log.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {line}\n")

    def close(self) -> None:
        """End the bar."""
        self._bar.close()


def make(stages: list[Stage], inputs: Inputs, jobs: int) -> None:
    """Make the stages that are not there, up to `jobs` at once, each once those that it needs are there.

    Raises:
        TrainingError: A stage failed, or its folder holds another one; stages that were running have ended.

    """
    done = {stage.name for stage in stages if _is_done(stage)}
    waiting = [stage for stage in stages if stage.name not in done]
    progress, running = Progress(stages), dict[Future[None], Stage]()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            while waiting or running:
                for stage in [stage for stage in waiting if stage.needs <= done][: jobs - len(running)]:
                    waiting.remove(stage)
                    running[pool.submit(_do, stage, inputs, progress)] = stage
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    stage = running.pop(future)
                    future.result()
                    done.add(stage.name)
        finally:
            progress.close()


def _is_done(stage: Stage) -> bool:
    made = ROOT / stage.folder / "stage.json"
    if not made.exists():
        return False
    if json.loads(made.read_text(encoding="utf-8")) != stage.as_json():
        raise TrainingError(f"{stage.folder} holds a stage made with other parameters: delete it to make it anew.")
    return True


def _do(stage: Stage, inputs: Inputs, progress: Progress) -> None:
    started = time.monotonic()
    progress.say(f"{stage.name} begins")
    with watch_epochs(ROOT / stage.folder / "log.csv", lambda epochs: progress.update(stage, epochs)):
        run(stage, inputs)
    write_text(ROOT / stage.folder / "stage.json", json.dumps(stage.as_json(), indent=1) + "\n")
    progress.say(f"{stage.name} took {(time.monotonic() - started) / 60:.1f} minutes: {_figures(stage)}")


def run(stage: Stage, inputs: Inputs) -> None:
    """Make one stage in a process of its own.

    Raises:
        TrainingError: It failed; the message is its last words.

    """
    command = [sys.executable, "-m", "training.stage", stage.name, inputs.data, inputs.votes]
    backend, _ = choose_backend()
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2"}
    output = ROOT / stage.folder / "output.log"
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("w", encoding="utf-8") as file:
        made = subprocess.run(  # noqa: S603
            [*command, "--recipe", str(inputs.recipe)], cwd=ROOT, env=environment, stdout=file, stderr=file, check=False
        )
    if made.returncode:
        last = (output.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["nothing"])[-1]
        raise TrainingError(f"{stage.name} failed: {last.removeprefix('error: ')} All of it is in {output}.")


def _figures(stage: Stage) -> str:
    metrics = json.loads((ROOT / stage.results / "metrics.json").read_text(encoding="utf-8"))
    found = metrics["results"]["PublicTest"]
    return f"{metrics['backend']}, {metrics['precision']}; PublicTest: " + "; ".join(
        f"{kind} {found[kind]['accuracy']:.1%} (mean recall {found[kind]['balanced_accuracy']:.1%})"
        for kind in ("labels", "majority")
        if kind in found
    )


def main(arguments: list[str] | None = None) -> int:
    """Make the networks that ship, with one progress bar; a stopped run carries on where it was."""
    parser = argparse.ArgumentParser(prog="python -m training.make_model", description=main.__doc__)
    parser.add_argument("data", help="fer2013.csv or icml_face_data.csv")
    parser.add_argument("votes", help="FER+'s fer2013new.csv for the same rows")
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--jobs", type=int, default=1, help="stages at once: 1 for a CPU, 4 or more for a GPU")
    given = parser.parse_args(arguments)
    data, votes = (str(Path(path).resolve()) for path in (given.data, given.votes))
    inputs = Inputs(data, votes, given.recipe.resolve())
    return exit_status(lambda: make(read_recipe(given.recipe), inputs, given.jobs))


if __name__ == "__main__":
    sys.exit(main())
