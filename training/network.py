"""The convolutional network, and how it is trained."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from entities import EXPRESSIONS

WIDTHS, DEPTHS = (32, 64, 112, 240), (1, 2, 3, 3)


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


def convolution(x: Any, filters: int) -> Any:
    """3x3 convolution, batch normalisation, ReLU."""
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    x = BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return layers.Activation("relu")(x)


def squeeze_and_excite(x: Any, ratio: int = 8) -> Any:
    """Weigh each channel by what the whole picture shows (Hu et al., 2018, arXiv:1709.01507)."""
    filters = x.shape[-1]
    weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weights = layers.Dense(filters // ratio, activation="relu")(weights)
    weights = layers.Dense(filters, activation="sigmoid")(weights)
    return layers.Multiply()([x, weights])


def build_cnn(widths: Sequence[int] = WIDTHS, depths: Sequence[int] = DEPTHS, dropout: float = 0.4) -> keras.Model:
    """Return a VGG-like network: grey faces (n, h, w, 1), 0-255, to (n, 7) logits in EXPRESSIONS order.

    `depths` convolutions of `widths` filters in each block, after which the picture is halved
    (Simonyan and Zisserman, 2015, arXiv:1409.1556). It takes faces of any size; 48x48 is what it is for.
    """
    faces = keras.Input((None, None, 1), name="face")
    x = layers.Rescaling(1 / 127.5, offset=-1)(faces)
    for filters, depth in zip(widths, depths, strict=True):
        for _ in range(depth):
            x = convolution(x, filters)
        x = squeeze_and_excite(x)
        x = layers.MaxPooling2D()(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout)(x)
    logits = layers.Dense(len(EXPRESSIONS), dtype="float32", name="logits")(x)
    return keras.Model(faces, logits, name="expression_cnn")


def compile_for(model: keras.Model, steps: int, peak_rate: float = 0.1, weight_decay: float = 5e-4) -> None:
    """Compile a network for `steps` steps of SGD, warmed up and cooled down once, with averaged weights.

    One cycle: Smith and Topin, 2018, arXiv:1708.07120. Averages, over about the last twelfth of the steps:
    Izmailov et al., 2018, arXiv:1803.05407. Keras puts the averaged weights in place when `fit` ends.
    """
    warmup = max(steps // 8, 1)
    schedule = keras.optimizers.schedules.CosineDecay(
        peak_rate / 20, max(steps - warmup, 1), alpha=1e-3, warmup_target=peak_rate, warmup_steps=warmup
    )
    optimizer = keras.optimizers.SGD(
        schedule,
        momentum=0.9,
        nesterov=True,
        weight_decay=weight_decay,
        use_ema=True,
        ema_momentum=max(1 - 12 / steps, 0.0),
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(optimizer, keras.losses.CategoricalCrossentropy(from_logits=True))
