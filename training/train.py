"""Training that shows how it goes, keeps checkpoints, and carries on after a stop."""

from pathlib import Path

import cv2
import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.augmentation import Batches, Curriculum
from training.fer2013 import FACE_SIZE, FER2013, majority


class Validation(keras.callbacks.Callback):
    """Adds to each epoch's log the accuracy on a held-back split, by FER2013's labels and by FER+'s majority.

    Faces are shown at the size on which the epoch trained: a network that has seen small faces
    alone does not know large ones yet.
    """

    def __init__(self, rows: FER2013, batches: Batches) -> None:
        super().__init__()
        self.rows, self.batches = rows, batches

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        size = self.batches.size or FACE_SIZE
        faces = np.stack([cv2.resize(face, (size, size)) for face in self.rows.images])
        predicted = predict_logits(self.model, faces).argmax(axis=1)
        scores = {"val_accuracy": float((predicted == self.rows.labels).mean())}
        if self.rows.votes is not None:
            truth = majority(self.rows.votes)
            right = (predicted == truth)[truth >= 0]
            scores["val_majority"] = float(right.mean())
            scores["val_balanced"] = float(np.mean([right[truth[truth >= 0] == c].mean() for c in set(truth) - {-1}]))
        if logs is not None:
            logs.update(scores)


def predict_logits(model: keras.Model, images: NDArray[np.uint8], batch_size: int = 256) -> NDArray[np.float32]:
    """Return the network's (n, 7) outputs for (n, h, w) grey faces."""
    return np.asarray(model.predict(images[..., np.newaxis], batch_size=batch_size, verbose=0), np.float32)


def train(model: keras.Model, batches: Batches, validation: FER2013, epochs: int, folder: Path) -> pd.DataFrame:
    """Fit a compiled model, or carry on where `folder` says that it was stopped; return the log, a row an epoch.

    `folder` keeps the newest checkpoint, the log and, at the end, the averaged weights; delete it to start anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final, log = folder / "final.weights.h5", folder / "log.csv"
    if not final.exists():
        callbacks = [
            keras.callbacks.BackupAndRestore(folder / "newest"),
            Curriculum(batches, epochs),
            Validation(validation, batches),
            keras.callbacks.CSVLogger(str(log), append=True),
        ]
        model.fit(batches, epochs=epochs, callbacks=callbacks, verbose=2, shuffle=False)
        # A name of its own until it is whole: a stop while writing must not look like the end.
        model.save_weights(folder / "partial.weights.h5")
        (folder / "partial.weights.h5").replace(final)
    model.load_weights(final)
    return pd.read_csv(log).drop_duplicates("epoch", keep="last")
