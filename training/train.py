"""Training that shows how it goes, keeps checkpoints, and carries on after a stop."""

import shutil
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errors import TrainingError
from files import write_whole
from training.data.batches import Batches
from training.data.fer2013 import FER2013, majority


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


def load_trained(model: keras.Model, weights: Path) -> None:
    """Load the weights of a training that has ended into a network of the same layers."""
    with warnings.catch_warnings():
        # The file also holds the optimizer's state, which is not needed any more.
        warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
        model.load_weights(weights)


def train(model: keras.Model, batches: Batches, validation: FER2013, epochs: int, folder: Path) -> pd.DataFrame:
    """Fit a compiled model, or carry on where `folder` says that it was stopped; return the log, a row an epoch.

    `folder` keeps the newest checkpoint, the log and, at the end, the weights; delete it to start anew.

    Raises:
        TrainingError: The training in `folder` has ended, after another number of epochs.
        ResultsError: The weights cannot be written; the newest checkpoint is still there.

    """
    folder.mkdir(parents=True, exist_ok=True)
    final, log = folder / "final.weights.h5", folder / "log.csv"
    if not final.exists():
        callbacks = [
            Epochs(batches),
            Validation(validation),
            keras.callbacks.CSVLogger(str(log), append=True),
            # After the log: what a stop falls between is done again, not left out. Kept until the weights are written.
            keras.callbacks.BackupAndRestore(folder / "newest", delete_checkpoint=False),
        ]
        try:
            model.fit(batches, epochs=epochs, callbacks=callbacks, verbose=2, shuffle=False)
        finally:
            batches.close()
        write_whole(final, model.save_weights)
        shutil.rmtree(folder / "newest", ignore_errors=True)
    done = pd.read_csv(log).drop_duplicates("epoch", keep="last")
    if len(done) != epochs:
        raise TrainingError(
            f"{folder} holds a finished training of {len(done)} epochs, not {epochs}: "
            "delete the folder to train anew, or set CHECKPOINTS to another one."
        )
    load_trained(model, final)
    return done
