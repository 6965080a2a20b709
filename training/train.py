"""Training that shows how it goes, keeps checkpoints, and carries on after a stop."""

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.augmentation import Batches
from training.fer2013 import FER2013, majority


class Validation(keras.callbacks.Callback):
    """Adds to each epoch's log each head's accuracy on a held-back split: by FER2013's labels or by FER+'s majority."""

    def __init__(self, rows: FER2013) -> None:
        super().__init__()
        self.images = rows.images
        self.truths = {"labels": rows.labels}
        if rows.votes is not None:
            self.truths["votes"] = majority(rows.votes)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logits = predict(self.model, self.images)
        for head, truth in self.truths.items():
            right = logits[head].argmax(axis=1) == truth
            if logs is not None:
                logs[f"val_{head}"] = float(right[truth >= 0].mean())


class Epochs(keras.callbacks.Callback):
    """Tells the batches which epoch begins."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.batches.start_epoch(epoch)


def predict(network: keras.Model, images: NDArray[np.uint8], batch_size: int = 256) -> Any:
    """Return the network's (n, 7) float32 output for (n, 48, 48) grey faces, by head where it has heads."""
    return network.predict(images[..., np.newaxis], batch_size=batch_size, verbose=0)


def start_from(model: keras.Model, weights: str | Path) -> None:
    """Load the weights of a network trained before into the layers that have the same shape in both."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras names every layer that it skips.
        model.load_weights(weights, skip_mismatch=True)


def train(model: keras.Model, batches: Batches, validation: FER2013, epochs: int, folder: Path) -> pd.DataFrame:
    """Fit a compiled model, or carry on where `folder` says that it was stopped; return the log, a row an epoch.

    `folder` keeps the newest checkpoint, the log and, at the end, the weights; delete it to start anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final, log = folder / "final.weights.h5", folder / "log.csv"
    if not final.exists():
        callbacks = [
            keras.callbacks.BackupAndRestore(folder / "newest"),
            Epochs(batches),
            Validation(validation),
            keras.callbacks.CSVLogger(str(log), append=True),
        ]
        model.fit(batches, epochs=epochs, callbacks=callbacks, verbose=2, shuffle=False)
        # A name of its own until it is whole: a stop while writing must not look like the end.
        model.save_weights(folder / "partial.weights.h5")
        (folder / "partial.weights.h5").replace(final)
    with warnings.catch_warnings():
        # The file also holds the optimizer's state, which is not needed any more.
        warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
        model.load_weights(final)
    return pd.read_csv(log).drop_duplicates("epoch", keep="last")
