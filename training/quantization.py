"""network.onnx: the network in 8 bits, which the application and browsers run in place of the two Keras files.

`python -m training.quantization DATA` makes it beside an existing pair; train.ipynb does when it saves one.

The convolutions, but for the first, compute with 8-bit integers: 99 % of the multiplications, in half the time or less,
on processors with 8-bit dot products and on those without. The latter add products in pairs, in 16 bits, which two of
255 x 127 overflow; so weights have 7 bits. Batch normalisation becomes part of the convolutions before that: OpenVINO
would keep these in float32 otherwise. What is left, and the two last layers, decides more and costs nothing.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from tqdm import tqdm

from config import ModelSettings
from errors import FacialExpressionError
from files import write_whole
from network.keras_network import load_network, with_evidence
from network.network_file import NETWORK, origin
from training.data import fer2013
from training.data.augmentation import Augmentation
from training.onnx_graph import convert

FACES: Final = 1024
"""So many faces tell the range of each layer's values."""
DEGRADED: Final = Augmentation(degraded=0.5, erased=0.25)
"""What half of them are put through: cameras give poorer pictures than FER2013."""
PERCENTILE: Final = 99.999
"""Of a layer's values that its range covers; rarer ones are cut off, and all others kept more exactly."""
BATCH: Final = 64


def quantize(architecture: str | Path, weights: str | Path, faces: NDArray[np.uint8]) -> Path:
    """Write network.onnx beside the weights, with ranges from (n, 48, 48) training faces; return its path.

    Raises:
        FacialExpressionError: The pair cannot be used or has layers that ONNX lacks, or the file cannot be written.

    """
    network = load_network(architecture, weights)
    facts = {
        **origin(Path(architecture), Path(weights)),
        "precision": "int8",
        "parameters": str(network.count_params()),
    }
    model = _quantize(convert(with_evidence(network)), faces)
    onnx.helper.set_model_props(model, facts)
    path = Path(weights).with_name(NETWORK)
    write_whole(path, lambda partial: onnx.save(model, partial))
    return path


def _quantize(model: onnx.ModelProto, faces: NDArray[np.uint8]) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        onnx.save(model, path)  # A model in memory comes back with its weights in a file that is gone by then.
        quant_pre_process(path, path, skip_symbolic_shape=True)
        model = onnx.load(path)
        del model.opset_import[1:]  # Those of ONNX Runtime's own layers, of which there are none.
        for index, node in enumerate(model.graph.node):
            node.name = f"{node.op_type}_{index}"
        quantize_static(
            model,
            path,
            _Faces(_varied(faces)),
            quant_format=QuantFormat.QDQ,
            nodes_to_quantize=_convolutions(model.graph),
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            calibrate_method=CalibrationMethod.Percentile,
            extra_options={"CalibPercentile": PERCENTILE},
        )
        return onnx.load(path)


def _convolutions(graph: onnx.GraphProto) -> list[str]:
    """Return the names of all convolutions of more than one pixel but the first, and of the ReLUs after them.

    A ReLU's values need no sign: without it in the list, half of what 8 bits can tell apart would go to waste.
    """
    kernels = {tensor.name: tensor.dims[2:] for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv" and max(kernels[node.input[1]]) > 1][1:]
    results = {node.output[0] for node in convolutions}
    rectifiers = [node for node in graph.node if node.op_type == "Relu" and node.input[0] in results]
    return [node.name for node in (*convolutions, *rectifiers)]


def _varied(faces: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return FACES of the faces, always the same ones, every other one as a poor camera might show it."""
    rng = np.random.default_rng(0)
    varied = faces[rng.choice(len(faces), min(FACES, len(faces)), replace=False)]
    varied[::2] = [DEGRADED(face, rng) for face in varied[::2]]
    return varied


class _Faces(CalibrationDataReader):
    """Faces (n, 48, 48) in batches, as ONNX Runtime asks for them."""

    def __init__(self, faces: NDArray[np.uint8]) -> None:
        self._batches = self._read(faces)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._batches, None)

    @staticmethod
    def _read(faces: NDArray[np.uint8]) -> Iterator[dict[str, NDArray[np.uint8]]]:
        for start in tqdm(range(0, len(faces), BATCH), desc="Ranges", unit=" batches", leave=False):
            yield {"faces": faces[start : start + BATCH]}


def main(arguments: list[str] | None = None) -> int:
    """Write network.onnx beside a pair of model files."""
    settings = ModelSettings()
    parser = argparse.ArgumentParser(prog="python -m training.quantization", description=main.__doc__)
    parser.add_argument("data", type=Path, help="fer2013.csv, for the range of each layer's values")
    parser.add_argument("--architecture", type=Path, default=settings.architecture)
    parser.add_argument("--weights", type=Path, default=settings.weights)
    given = parser.parse_args(arguments)
    try:
        faces: Any = fer2013.load(given.data).training().images
        path = quantize(given.architecture, given.weights, faces)
    except FacialExpressionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"Wrote {path}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
