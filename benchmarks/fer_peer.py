"""Runs in the environment of the package `fer`: reads frames from standard input, says how long each took.

Only that package, OpenCV and NumPy can be imported here.
"""

import json
import sys
import time

import cv2
import numpy as np
from fer.fer import FER

WARM_UP = 3


def main(width: int, height: int) -> None:
    """Print {"milliseconds": [...], "with_face": share of frames} for raw (height, width, 3) BGR frames."""
    detector = FER()
    milliseconds, found = [], []
    frames = iter(lambda: sys.stdin.buffer.read(width * height * 3), b"")
    for index, data in enumerate(frames):
        image = np.frombuffer(data, np.uint8).reshape(height, width, 3)
        if index == 0:
            for _ in range(WARM_UP):
                detector.detect_emotions(image)
        began = time.perf_counter()
        faces = detector.detect_emotions(image)
        milliseconds.append(1e3 * (time.perf_counter() - began))
        found.append(bool(faces))
    print(json.dumps({"milliseconds": milliseconds, "with_face": float(np.mean(found)), "opencv": cv2.__version__}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
