"""Says which part of requirements/ a missing library belongs to, and the line that installs it.

A command imports this module before anything that may be missing; from then on a library that is not installed ends the
command with that line instead of a traceback. Programs that import our modules keep their own way to show errors.
"""

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final

from errors import MissingLibraryError

ROOT: Final = Path(__file__).resolve().parent
PARTS: Final = ("run", "outputs", "studies", "train", "dev")
"""Files of requirements/. Each includes run.txt; train.txt includes studies.txt, and dev.txt all."""
PACKAGES: Final = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "paho": "paho-mqtt",
    "pympi": "pympi-ling",
    "pythonosc": "python-osc",
    "sklearn": "scikit-learn",
    "tensorflow": "tensorflow-cpu",
}
"""Packages whose module has another name."""
WHOLE: Final = {"training": "train"}
"""Rooms of ours that need a part whole: one missing library of it is seldom the only one."""
_REQUIREMENT: Final = re.compile(r"^[A-Za-z0-9._-]+", re.MULTILINE)
_INCLUDED: Final = re.compile(r"^-r (\w+)\.txt", re.MULTILINE)


def part_of(module: str) -> tuple[str, str] | None:
    """Return the package of an imported module and the part of requirements/ that lists it; None where none does."""
    name = module.partition(".")[0]
    package = PACKAGES.get(name, name.replace("_", "-"))
    for part in PARTS:
        if package in _REQUIREMENT.findall(_file(part).read_text("utf-8")):
            return package, part
    return None


def _file(part: str) -> Path:
    return ROOT / "requirements" / f"{part}.txt"


def _includes(part: str) -> set[str]:
    """Return the parts that are installed with one, itself included."""
    return {part}.union(*map(_includes, _INCLUDED.findall(_file(part).read_text("utf-8"))))


def how_to_install(part: str) -> str:
    """Return the command that installs a part of requirements/."""
    files = (_file(part), ROOT / "constraints.txt")
    return shlex.join([sys.executable, "-m", "pip", "install", "-r", str(files[0]), "-c", str(files[1])])


def explain(error: ImportError) -> str | None:
    """Say which library is missing and how to install it; None where the error is another one."""
    found = part_of(error.name or "") if isinstance(error, ModuleNotFoundError) else None
    if found is None:
        return None
    package, part = found
    needed_whole = (whole for room, whole in WHOLE.items() if room in sys.modules)
    part = next((whole for whole in needed_whole if part in _includes(whole)), part)
    return f"{package} is not installed. Install what is needed with\n  {how_to_install(part)}"


@contextmanager
def require() -> Iterator[None]:
    """Import optional libraries in this context.

    Raises:
        MissingLibraryError: One of them is not installed.

    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (text := explain(error)) is None:
            raise
        raise MissingLibraryError(text) from error


def _tell(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    text = explain(error) if isinstance(error, ImportError) else None
    if text:
        print(f"error: {text}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


if sys.argv[0] == "-m" or Path(sys.argv[0]).resolve().parent == ROOT:
    sys.excepthook = _tell
