"""The convolutional network, and how it is trained."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from entities import EXPRESSIONS
from training.data.fer2013 import FACE_SIZE

STEM, STRIDE, WIDTHS, DEPTHS = 32, 1, (32, 64, 128, 256), (1, 2, 3, 3)
HEADS = ("labels", "votes")
"""What the network learns at once: FER2013's label of a face, and how FER+'s raters vote on it."""


class BatchNormalization(layers.BatchNormalization):
    """Keras's batch normalisation; on the PyTorch backend one fused kernel, which halves the time of training.

    Exported networks hold Keras's own layer instead (see training/export.py).
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if keras.backend.backend() != "torch":
            return super().call(inputs, training=training, mask=mask)
        from torch.nn.functional import batch_norm

        outputs = batch_norm(
            inputs.permute(0, 3, 1, 2),
            self.moving_mean.value,
            self.moving_variance.value,
            self.gamma.value.float(),
            self.beta.value.float(),
            training=bool(training),
            momentum=1 - self.momentum,
            eps=self.epsilon,
        )
        return outputs.permute(0, 2, 3, 1)


def convolution(x: Any, filters: int, size: int = 3, strides: int = 1) -> Any:
    """Convolution, batch normalisation, ReLU."""
    x = layers.Conv2D(filters, size, strides, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    x = BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return layers.Activation("relu")(x)


def squeeze_and_excite(x: Any, ratio: int = 8) -> Any:
    """Weigh each channel by what the whole picture shows (Hu et al., 2018, arXiv:1709.01507)."""
    filters = x.shape[-1]
    weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weights = layers.Dense(filters // ratio, activation="relu")(weights)
    weights = layers.Dense(filters, activation="sigmoid")(weights)
    return layers.Multiply()([x, weights])


def build_cnn(
    stem: int = STEM,
    stride: int = STRIDE,
    widths: Sequence[int] = WIDTHS,
    depths: Sequence[int] = DEPTHS,
    *,
    dropout: float = 0.3,
    heads: Sequence[str] = HEADS,
) -> keras.Model:
    """Return a VGG-like network: grey faces (n, 48, 48, 1), 0-255, to (n, 7) logits of each head, in EXPRESSIONS order.

    The stem has `stem` filters of 5x5, and halves the picture where its `stride` is 2. Then come blocks of `depths`
    convolutions with `widths` filters, after each of which the picture is halved (Simonyan and Zisserman, 2015,
    arXiv:1409.1556).
    """
    faces = keras.Input((FACE_SIZE, FACE_SIZE, 1), name="face")
    x = layers.Rescaling(1 / 127.5, offset=-1)(faces)
    x = convolution(x, stem, size=5, strides=stride)
    for filters, depth in zip(widths, depths, strict=True):
        for _ in range(depth):
            x = convolution(x, filters)
        x = squeeze_and_excite(layers.MaxPooling2D()(x))
    # Not averaged over the picture: faces are framed alike, so where something is tells what it is.
    x = layers.Flatten()(x)
    x = layers.Dropout(dropout)(x)
    logits = {head: layers.Dense(len(EXPRESSIONS), dtype="float32", name=head)(x) for head in heads}
    return keras.Model(faces, logits, name="expression_cnn")


def merge_heads(network: keras.Model, shares: Mapping[str, float]) -> keras.Model:
    """Return a network on the same trunk with one head, whose logits are the mean of the heads' weighted by `shares`.

    The heads are linear, so their mean is one dense layer: it costs no more than one of them.
    """
    heads = {head: network.get_layer(head) for head in shares}
    features = next(iter(heads.values())).input
    merged = layers.Dense(len(EXPRESSIONS), dtype="float32", name="logits")
    model = keras.Model(network.input, merged(features), name=network.name)
    weights = [[share * weight for weight in heads[head].get_weights()] for head, share in shares.items()]
    merged.set_weights([sum(parts) for parts in zip(*weights, strict=True)])
    return model


def average(networks: Sequence[keras.Model]) -> keras.Model:
    """Return one network whose heads give the mean of the networks' logits; all have the same heads.

    Its heads are single dense layers on all networks' features, so they can be merged and remember faces like any
    network's.
    """
    faces = keras.Input((FACE_SIZE, FACE_SIZE, 1), name="face")
    heads = networks[0].output
    # Not network(faces): its layers become this model's own, not a model within it.
    trunks = [keras.Model(network.input, network.get_layer(next(iter(heads))).input) for network in networks]
    features = layers.Concatenate(name="features")([trunk.call(faces) for trunk in trunks])
    logits = {head: layers.Dense(len(EXPRESSIONS), dtype="float32", name=head) for head in heads}
    model = keras.Model(faces, {head: dense(features) for head, dense in logits.items()}, name="expression_cnn")
    for head, dense in logits.items():
        kernels, biases = zip(*(network.get_layer(head).get_weights() for network in networks), strict=True)
        dense.set_weights([np.concatenate(kernels) / len(networks), np.mean(biases, axis=0)])
    return model


class WarmupStableDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Raise the rate for some steps, hold it, and lower it to nothing over the last part.

    As good as a cosine, and the length of the training may be chosen while the rate is held: what was learned until
    then is the same for every length (Hägele et al., 2024, arXiv:2405.18392).
    """

    def __init__(self, peak: float, steps: int, warmup: int = 500, decay: float = 0.4) -> None:
        self.peak, self.steps, self.warmup, self.decay = peak, steps, min(warmup, max(steps // 10, 1)), decay

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        rise, fall = (step + 1) / self.warmup, (self.steps - step) / (self.decay * self.steps)
        return self.peak * ops.clip(ops.minimum(rise, fall), 0, 1)


def compile_for(model: keras.Model, steps: int, peak_rate: float = 0.06, weight_decay: float = 3e-3) -> None:
    """Compile a network for `steps` steps of SGD with Nesterov momentum; both heads count alike."""
    optimizer = keras.optimizers.SGD(
        WarmupStableDecay(peak_rate, steps),
        momentum=0.9,
        nesterov=True,
        weight_decay=weight_decay,
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    heads = list(model.output)
    model.compile(
        optimizer,
        loss={head: keras.losses.CategoricalCrossentropy(from_logits=True) for head in heads},
        loss_weights={head: 1 / len(heads) for head in heads},
    )
