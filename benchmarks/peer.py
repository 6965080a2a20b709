"""Runs another package on the same frames, in an environment of its own."""

import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final, cast

import numpy as np

from benchmarks.scenes import Scene
from benchmarks.stages import Progress, Spread
from config import ROOT
from errors import FacialExpressionError

SCRIPTS: Final = {"fer": Path(__file__).with_name("fer_peer.py")}
_PYTHON: Final = Path(".venv-fer", *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
INSTALL: Final = {
    "fer": "python -m venv .venv-fer && "
    f'{_PYTHON} -m pip install fer==25.10.3 "opencv-contrib-python<5" "setuptools<81"'
}
DEFAULT_PYTHON: Final = ROOT / _PYTHON


class PeerError(FacialExpressionError):
    """The other package is not there, or does not work; the message says what to do."""


def check(peer: str, python: Path) -> str:
    """Return the version of a peer.

    Raises:
        PeerError: It cannot be imported in that environment.

    """
    code = f"import {peer}.{peer}, importlib.metadata as m; print(m.version('{peer}'))"
    try:
        done = subprocess.run(  # noqa: S603
            [python, "-c", code], env=_environment(), capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise PeerError(_advice(peer, f"there is no {python}")) from error
    if done.returncode:
        raise PeerError(_advice(peer, (done.stderr.strip().splitlines() or ["it does not start"])[-1]))
    return done.stdout.split()[-1]


def run(peer: str, python: Path, scene: Scene, progress: Progress) -> dict[str, Any]:
    """Return median, p95 and mean milliseconds a frame, and the share of frames with a face.

    Raises:
        PeerError: It fails.
        SourceError: The video cannot be read.

    """
    width, height = scene.size
    command = [str(python), str(SCRIPTS[peer]), str(width), str(height)]
    with subprocess.Popen(  # noqa: S603
        command, env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        frames = cast("IO[bytes]", process.stdin)
        try:
            for frame in progress(scene.frames(), f"{scene.name}, {peer}"):
                frames.write(np.ascontiguousarray(frame.image).data)
        except BrokenPipeError:
            process.kill()
        output = process.communicate()[0]
    if process.returncode:
        raise PeerError(_advice(peer, "it failed on the frames"))
    figures = json.loads(output.splitlines()[-1])
    spread = Spread.of(figures["milliseconds"])
    return asdict(spread) | {"with_face": figures["with_face"]}


def _environment() -> dict[str, str]:
    """Return the environment without what our own Keras was told."""
    return {name: value for name, value in os.environ.items() if name not in ("KERAS_BACKEND", "PYTHONPATH")}


def _advice(peer: str, reason: str) -> str:
    return f"{peer} is skipped, because {reason}. Install it so:\n  {INSTALL[peer]}"
