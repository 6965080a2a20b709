"""Asks Keras itself, on TensorFlow, what the exported model says of faces: `python -m benchmarks.reference FILE`.

In a process of its own, because a process has one Keras backend, and TensorFlow's memory should not count as ours.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from config import ROOT, ModelSettings
from entities import Image
from errors import ModelError
from model import prepare
from network.keras_network import load_network


def reference_probabilities(crops: list[Image], settings: ModelSettings) -> NDArray[np.float32]:
    """Return (n, 7): what the Keras model of model.json and the weights gives for n grey faces of any size.

    Raises:
        ModelError: Keras or TensorFlow fails.

    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "faces.npz"
        np.savez(path, faces=np.array([prepare(crop) for crop in crops]))
        command = [sys.executable, "-m", "benchmarks.reference", str(path)]
        command += [str(settings.architecture), str(settings.weights)]
        environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise ModelError(f"The Keras model could not be asked for comparison: {reason}")
        return np.asarray(np.load(path)["probabilities"], np.float32)


def main(path: Path, architecture: Path, weights: Path) -> None:
    """Add `probabilities` to a file with `faces`, (n, 48, 48) uint8."""
    faces = np.load(path)["faces"]
    network = load_network(architecture, weights)
    probabilities = network.predict(faces[..., None].astype(np.float32), batch_size=64, verbose=0)
    np.savez(path, faces=faces, probabilities=probabilities)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
