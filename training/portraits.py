"""What in two public-domain portraits speaks for each answer, as the app sees it.

`python -m training.portraits MODEL WEIGHTS PICTURE` writes the picture; train.ipynb shows it. A process of its own,
because the app runs networks on OpenVINO, whatever they were trained with.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from matplotlib.figure import Figure

from config import ROOT, DetectorSettings
from entities import EXPRESSIONS
from model import FacialExpressionModel
from training.metrics.report import plot_faces
from vision.detection import FaceDetector

PORTRAITS: Final = ("astronaut.png", "grace_hopper.jpg")
"""Eileen Collins (NASA) and Grace Hopper (US Navy)."""
SIZE: Final = (96, 96)


def explain_portraits(network: FacialExpressionModel) -> Figure:
    """Return a plot of the three most probable expressions of each portrait, with the heat maps of Grad-CAM."""
    detector = FaceDetector(DetectorSettings())
    faces, captions, heat = [], [], []
    for name in PORTRAITS:
        encoded = np.fromfile(ROOT / "tests" / "data" / name, np.uint8)
        picture = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
        box = max(detector.detect(picture), key=lambda box: box.width)
        face = cv2.resize(box.crop(picture), SIZE, interpolation=cv2.INTER_AREA)
        probabilities = network.predict([face])[0]
        for label in probabilities.argsort()[::-1][:3]:
            faces.append(face)
            captions.append(f"{EXPRESSIONS[label]} {probabilities[label]:.0%}")
            heat.append(network.explain(face, EXPRESSIONS[label]))
    return plot_faces(faces, captions, heat, title="What speaks for each answer", columns=6)


def main(arguments: Sequence[str]) -> None:
    """Write the plot for a pair of model files."""
    architecture, weights, picture = map(Path, arguments)
    explain_portraits(FacialExpressionModel(architecture, weights)).savefig(picture)


if __name__ == "__main__":
    main(sys.argv[1:])
