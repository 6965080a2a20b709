"""The recipe of the networks that ship: stages, read from recipe.toml, each one training or a mean of several."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal

from config import ROOT
from errors import TrainingError

RECIPE: Final = ROOT / "training" / "recipe.toml"
CHECKPOINTS: Final = Path("checkpoints")
RESULTS: Final = Path("training/results")


@dataclass(frozen=True, slots=True)
class Stage:
    """How one network is made. Paths are relative to the folder in which all stages are kept: the repository."""

    name: str
    epochs: int = 40
    peak_rate: float = 0.06
    """The highest learning rate."""
    refine: int = 8
    """Last epochs, in which faces are neither erased nor degraded."""
    seed: int = 0
    augmentation: Mapping[str, Any] = field(default_factory=lambda: {"erased": 0.25, "degraded": 0.35})
    """Ranges other than the usual ones."""
    start: str = ""
    """The stage from whose weights it starts, instead of random ones."""
    teachers: tuple[str, ...] = ()
    """The stages from whose answers it learns as well."""
    trust: float = 0.5
    """How much these count in what it shall answer, 0-1."""
    members: tuple[str, ...] = ()
    """The stages whose mean it is; then nothing is trained."""
    memory: int = 0
    """Numbers by which the faces trained on are remembered; 0: they are not."""
    teaches: bool = False
    """Whether it leaves its answers for the training faces, to be a teacher."""
    aim: Literal["raters", "labels"] = "raters"
    """Whom the exported network shall agree with: FER+'s raters, or FER2013's labels."""
    half: bool = False
    """Whether weights are stored in half precision."""
    ships: str = ""
    """The folder of the pair that the repository holds."""

    @property
    def folder(self) -> Path:
        """Where it keeps checkpoints."""
        return CHECKPOINTS / self.name

    @property
    def pair(self) -> tuple[Path, Path]:
        """The two files that it exports."""
        folder = Path(self.ships) if self.ships else self.folder
        return folder / "model.json", folder / "model_weights.h5"

    @property
    def results(self) -> Path:
        """Where its figures and plots are."""
        return RESULTS / self.name if self.ships else self.folder / "results"

    @property
    def needs(self) -> frozenset[str]:
        """The stages whose results it starts from."""
        return frozenset({*self.teachers, *self.members, *([self.start] if self.start else [])})

    def as_json(self) -> dict[str, Any]:
        """Return its parameters as JSON has them."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def read_recipe(path: Path = RECIPE) -> list[Stage]:
    """Return the stages of a recipe, each after those that it needs.

    Raises:
        TrainingError: A stage names one that does not stand before it, or a parameter that there is not.

    """
    given, stages = tomllib.loads(path.read_text(encoding="utf-8"))["stages"], dict[str, Stage]()
    known = {each.name for each in fields(Stage)} - {"name"}
    for name, own in given.items():
        base = stages.get(own.get("like", ""), Stage(name))
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in own.items()}
        like = values.pop("like", "")
        if unknown := values.keys() - known:
            raise TrainingError(f"{path}, stage {name}: there is no parameter {', '.join(sorted(unknown))}.")
        stage = replace(base, **{"name": name, "ships": "", **values})
        if missing := (stage.needs | {str(like)} - {""}) - stages.keys():
            raise TrainingError(f"{path}, stage {name}: there is no stage {', '.join(sorted(missing))} before it.")
        stages[name] = stage
    return list(stages.values())
