"""Makes the networks that ship, from nothing but FER2013 and FER+: each stage of recipe.toml through train.ipynb.

`python -m training.recipe DATA VOTES` is what `make model` calls. A stage whose result is there is not done again, and
a stopped one carries on after its last finished epoch.
"""

import argparse
import json
import sys
import time
import tomllib
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final

from tqdm import tqdm

from config import ROOT
from errors import FacialExpressionError, TrainingError
from files import write_text
from training.notebook import epochs_done, read_parameters, run

RECIPE: Final = ROOT / "training" / "recipe.toml"
CHECKPOINTS: Final = Path("checkpoints")
LOG: Final = Path("training/results/recipe.log")
REFERENCES: Final = {"START": "final.weights.h5", "TEACHERS": "answers.npz", "MEMBERS": "final.weights.h5"}
"""Parameters that name other stages, and the file of these that is meant."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of the notebook."""

    name: str
    parameters: dict[str, Any]
    """As the notebook takes them; paths are relative to the repository."""
    needs: frozenset[str]
    """The stages whose results it starts from."""

    @property
    def folder(self) -> Path:
        """Where it keeps its checkpoints and results."""
        return ROOT / CHECKPOINTS / self.name

    @property
    def result(self) -> Path:
        """The executed notebook."""
        return self.folder / "train.ipynb"

    @property
    def epochs(self) -> int:
        """How many it trains."""
        return 0 if self.parameters.get("MEMBERS") else int(self.parameters["EPOCHS"])

    def is_done(self) -> bool:
        """Whether its result is there, made with these parameters.

        Raises:
            TrainingError: It was made with others.

        """
        made = self.folder / "stage.json"
        if not made.exists():
            return False
        if json.loads(made.read_text(encoding="utf-8")) != self._identity():
            raise TrainingError(f"{self.folder} holds a stage made with other parameters: delete it to make it anew.")
        return True

    def mark_done(self) -> None:
        """Remember with which parameters its result was made."""
        write_text(self.folder / "stage.json", json.dumps(self._identity(), indent=1) + "\n")

    def _identity(self) -> dict[str, Any]:
        return {name: value for name, value in self.parameters.items() if name not in ("DATA", "VOTES")}


def read_recipe(path: Path, data: str, votes: str) -> list[Stage]:
    """Return the stages of a recipe, each after those that it needs.

    Raises:
        TrainingError: A stage names one that does not stand before it, or a parameter that the notebook does not have.

    """
    recipe = tomllib.loads(path.read_text(encoding="utf-8"))
    known, stages = read_parameters(), dict[str, Stage]()
    for name, own in recipe["stages"].items():
        given = (recipe["stages"][own["LIKE"]] if "LIKE" in own else {}) | own
        given.pop("LIKE", None)
        destination = given.pop("SHIPS", None)
        if unknown := given.keys() - known.keys():
            raise TrainingError(f"{path}, stage {name}: train.ipynb has no parameter {', '.join(sorted(unknown))}.")
        needs = {other for key in REFERENCES for other in _names(given.get(key, []))}
        if missing := needs - stages.keys():
            raise TrainingError(f"{path}, stage {name}: there is no stage {', '.join(sorted(missing))} before it.")
        for key in REFERENCES.keys() & given.keys():
            given[key] = _resolve(given[key], REFERENCES[key])
        folder = CHECKPOINTS / name
        exports = Path(destination) if destination else folder
        paths = {
            "CHECKPOINTS": folder,
            "MODEL": exports / "model.json",
            "WEIGHTS": exports / "model_weights.h5",
            "RESULTS": Path("training/results") / name if destination else folder / "results",
        }
        parameters = known | given | {key: value.as_posix() for key, value in paths.items()}
        stages[name] = Stage(name, parameters | {"DATA": data, "VOTES": votes}, frozenset(needs))
    return list(stages.values())


def _names(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _resolve(value: str | list[str], file: str) -> str | list[str]:
    paths = [(CHECKPOINTS / name / file).as_posix() for name in _names(value)]
    return paths[0] if isinstance(value, str) else paths


class Progress:
    """One bar for all stages, in epochs, and a line for each stage that ends; for any number of threads."""

    def __init__(self, stages: list[Stage]) -> None:
        total = sum(stage.epochs for stage in stages)
        self._done = {stage.name: epochs_done(stage.folder / "log.csv") for stage in stages}
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


def make(stages: list[Stage], jobs: int) -> None:
    """Do the stages that are not done, up to `jobs` at once, each once those that it needs are there.

    Raises:
        TrainingError: A stage failed, or its folder holds another one; stages that were running have ended.

    """
    done = {stage.name for stage in stages if stage.is_done()}
    waiting = [stage for stage in stages if stage.name not in done]
    progress, running = Progress(stages), dict[Future[None], Stage]()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            while waiting or running:
                for stage in [stage for stage in waiting if stage.needs <= done][: jobs - len(running)]:
                    waiting.remove(stage)
                    running[pool.submit(_do, stage, progress)] = stage
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    stage = running.pop(future)
                    future.result()
                    done.add(stage.name)
        finally:
            progress.close()


def _do(stage: Stage, progress: Progress) -> None:
    started = time.monotonic()
    progress.say(f"{stage.name} begins")
    run(stage.parameters, stage.result, lambda epochs: progress.update(stage, epochs))
    stage.mark_done()
    progress.say(f"{stage.name} took {(time.monotonic() - started) / 60:.1f} minutes: {_figures(stage)}")


def _figures(stage: Stage) -> str:
    metrics = json.loads((ROOT / stage.parameters["RESULTS"] / "metrics.json").read_text(encoding="utf-8"))
    found = metrics["results"]["PublicTest"]
    return f"{metrics['backend']}, {metrics['precision']}; PublicTest: " + "; ".join(
        f"{kind} {found[kind]['accuracy']:.1%} (mean recall {found[kind]['balanced_accuracy']:.1%})"
        for kind in ("labels", "majority")
        if kind in found
    )


def main(arguments: list[str] | None = None) -> int:
    """Make the networks that ship, with one progress bar; a stopped run carries on where it was."""
    parser = argparse.ArgumentParser(prog="python -m training.recipe", description=main.__doc__)
    parser.add_argument("data", help="fer2013.csv or icml_face_data.csv")
    parser.add_argument("votes", help="FER+'s fer2013new.csv for the same rows")
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--jobs", type=int, default=1, help="stages at once: 1 for a CPU, 4 or more for a GPU")
    given = parser.parse_args(arguments)
    try:
        make(read_recipe(given.recipe, given.data, given.votes), given.jobs)
    except FacialExpressionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command carries on after the last finished epoch.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
