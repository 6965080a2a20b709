"""Makes one network of the recipe, as train.ipynb does, and with teachers, means of networks, and memories of faces.

`python -m training.stage NAME DATA VOTES` is what `make model` calls, with KERAS_BACKEND set: Keras takes its backend
when it is imported.
"""

import argparse
import json
import sys
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import softmax

from errors import FacialExpressionError, TrainingError
from files import write_text
from training.backend import choose_precision
from training.data.augmentation import Augmentation
from training.data.batches import Batches
from training.data.fer2013 import FER2013, load
from training.data.targets import distil, make_targets
from training.export import deployable, export
from training.memory import memorize, with_memory
from training.metrics import calibration, evaluation, report
from training.network import average, build_cnn, compile_for, merge_heads
from training.quantization import quantize
from training.recipe import CHECKPOINTS, RECIPE, Stage, read_recipe
from training.train import load_trained, predict, start_from, train

Heads = dict[str, NDArray[np.float32]]
"""(n, 7) by head."""


def make(stage: Stage, data: FER2013, root: Path, precision: str = "float32") -> dict[str, Any]:
    """Make a stage's network from the rows, and write all that belongs to it below `root`; return its figures.

    Args:
        stage: Its parameters; the stages that it needs have been made below `root`.
        data: FER2013's rows, with FER+'s votes or without.
        root: Usually the repository.
        precision: The Keras dtype policy to train in.

    Raises:
        TrainingError: The stage's folder holds a training of another number of epochs.
        ResultsError: A file cannot be written.

    """
    keras.utils.set_random_seed(stage.seed)
    training, validation = data.training(), data.split("PublicTest")
    targets = make_targets(training)
    (root / stage.folder).mkdir(parents=True, exist_ok=True)
    log = pd.DataFrame({"epoch": []})
    if stage.members:
        network = _mean(stage, list(targets), root)
    else:
        keras.mixed_precision.set_global_policy(precision)
        trained, log = _train(stage, training, validation, targets, root)
        keras.mixed_precision.set_global_policy("float32")  # as it will be used, whatever it was trained in
        network = build_cnn(heads=list(targets))
        network.set_weights(trained.get_weights())
    network = _remember(stage, network, training, targets, root)
    logits = predict(network, validation.images)
    np.savez_compressed(root / stage.folder / "validation.npz", **logits)  # to choose anew how the heads are mixed
    figures, final = _export(stage, network, logits, training=training, validation=validation, root=root)
    results = _evaluate(stage, final, data, root)
    if len(log):
        report.plot_learning_curves(log).savefig(root / stage.results / "curves.png")
    return figures | {"log": json.loads(log.to_json(orient="records")), "results": results}


def _train(
    stage: Stage, training: FER2013, validation: FER2013, targets: Heads, root: Path
) -> tuple[keras.Model, pd.DataFrame]:
    if stage.teachers:
        answers = [np.load(root / CHECKPOINTS / teacher / "answers.npz") for teacher in stage.teachers]
        targets = distil(targets, answers, stage.trust)
    batches = Batches(
        training.images,
        targets,
        seed=stage.seed,
        augmentation=Augmentation(**stage.augmentation),
        refine_from=stage.epochs - stage.refine,
    )
    network = build_cnn(heads=list(targets))
    if stage.start:
        start_from(network, root / CHECKPOINTS / stage.start / "final.weights.h5")
    compile_for(network, steps=len(batches) * stage.epochs, peak_rate=stage.peak_rate)
    return network, train(network, batches, validation, stage.epochs, root / stage.folder)


def _mean(stage: Stage, heads: list[str], root: Path) -> keras.Model:
    """Return the mean of the stage's members (Hansen and Salamon, 1990), which errs less than each of them."""
    members = [build_cnn(heads=heads) for _ in stage.members]
    for member, name in zip(members, stage.members, strict=True):
        load_trained(member, root / CHECKPOINTS / name / "final.weights.h5")
    return average(members)


def _remember(stage: Stage, network: keras.Model, training: FER2013, targets: Heads, root: Path) -> keras.Model:
    """Return the network, with a memory if the stage has one; write its answers for the training faces if it teaches.

    Each answer is the mean of those for a face and its mirror image. A face would find itself in the memory, so it is
    left out there: half of each answer is the network's own, half that of the most similar other faces.
    """
    memory = None
    if stage.memory:
        features = keras.Model(network.input, network.get_layer("labels").input)
        memory = memorize(predict(features, training.images), stage.memory)
    if stage.teaches:
        views = [predict(network, view) for view in (training.images, training.images[:, :, ::-1])]
        answers = {head: softmax(np.mean([view[head] for view in views], axis=0), axis=1) for head in targets}
        if memory:
            answers = {head: (own + memory.name_without_itself(targets[head])) / 2 for head, own in answers.items()}
        halves = {head: values.astype(np.float16) for head, values in answers.items()}
        np.savez_compressed(root / stage.folder / "answers.npz", **halves)
    return with_memory(network, memory, targets) if memory else network


def _export(
    stage: Stage, network: keras.Model, logits: Heads, *, training: FER2013, validation: FER2013, root: Path
) -> tuple[dict[str, Any], keras.Model]:
    """Calibrate the network and write the files of the app; return what was chosen, and the network as written."""
    known = evaluation.truths(validation)
    if stage.aim == "labels":
        known = {"labels": known["labels"]}
    chosen = calibration.choose(logits, known, calibration.priors(training))
    final = deployable(calibration.fold(merge_heads(network, chosen.shares), chosen))
    architecture, weights = (root / path for path in stage.pair)
    export(final, architecture, weights, half=stage.half)
    try:
        quantize(architecture, weights, training.images)
    except TrainingError as error:
        print(f"The app runs {stage.pair[1]} in float32: {error}", file=sys.stderr)
    return {"network_parameters": final.count_params(), "chosen": asdict(chosen)}, final


def _evaluate(stage: Stage, final: keras.Model, data: FER2013, root: Path) -> dict[str, Any]:
    """Return the figures by split; PrivateTest, where there is one, is looked at here and nowhere else."""
    figures = {}
    for split in ("PublicTest", "PrivateTest"):
        rows = data.split(split)
        if len(rows):
            probabilities = predict(final, rows.images)
            evaluation.save_plots(evaluation.plots(probabilities, rows), root / stage.results, split)
            figures[split] = evaluation.compare(probabilities, rows)
    return figures


def main(arguments: list[str] | None = None) -> int:
    """Make one stage of the recipe, whose needs have been made; carry on after its last finished epoch."""
    parser = argparse.ArgumentParser(prog="python -m training.stage", description=main.__doc__)
    parser.add_argument("name", help="of the stage")
    parser.add_argument("data", help="fer2013.csv or icml_face_data.csv")
    parser.add_argument("votes", help="FER+'s fer2013new.csv for the same rows")
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    given = parser.parse_args(arguments)
    try:
        stage = next(stage for stage in read_recipe(given.recipe) if stage.name == given.name)
        backend = keras.backend.backend()
        precision = choose_precision(backend)
        root = Path()
        figures = make(stage, load(given.data, given.votes), root, precision)
        versions = {name: version(name) for name in ("keras", "numpy", "opencv-python-headless")}
        versions[backend] = import_module(backend).__version__
        record = {"parameters": stage.as_json(), "backend": backend, "precision": precision, "versions": versions}
        write_text(root / stage.results / "metrics.json", json.dumps(record | figures, indent=1) + "\n")
    except FacialExpressionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
