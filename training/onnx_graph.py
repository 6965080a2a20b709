"""Keras to ONNX (https://onnx.ai), for networks of the kind that train.ipynb makes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from entities import INPUT_SHAPE
from errors import TrainingError

OPSET: Final = 17
IR_VERSION: Final = 8
"""What ONNX Runtime has read since 2022."""
ACTIVATIONS: Final = {"relu": "Relu", "sigmoid": "Sigmoid", "softmax": "Softmax"}


class Graph:
    """An ONNX graph in the making: nodes in the order in which they run, and their constants."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, inputs: Iterable[str], **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        output = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, values: NDArray[Any]) -> str:
        """Add a constant; return its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name


def convert(network: Any) -> onnx.ModelProto:
    """Return a keras.Model as ONNX: grey `faces` (n, 48, 48) uint8 to `probabilities` (n, 7) float32.

    A second output of the network is `evidence`, (n, h, w, 7) float32.

    Raises:
        TrainingError: It has a layer of a kind that this module does not know.

    """
    graph = Graph()
    height, width, channels = INPUT_SHAPE
    faces = graph.add("Cast", ["faces"], to=TensorProto.FLOAT)
    shape = graph.constant(np.array([-1, channels, height, width], np.int64))
    names = {network.input.name: graph.add("Reshape", [faces, shape])}
    for layer in network.operations:
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        if inputs:
            names[layer.output.name] = _add_layer(graph, layer, [names[tensor.name] for tensor in inputs])
    return _model(graph, {tensor.name: names[tensor.name] for tensor in network.outputs}, network)


def _model(graph: Graph, results: Mapping[str, str], network: Any) -> onnx.ModelProto:
    """Return the graph as a model, whose first output is probabilities, and whose second, if any, is evidence."""
    outputs = []
    for name, tensor in zip(("probabilities", "evidence"), network.outputs, strict=False):
        result, shape = results[tensor.name], tensor.shape[1:]
        # Keras has channels last.
        last: dict[str, Any] = {"perm": [0, 2, 3, 1]} if len(shape) == 3 else {}
        graph.nodes.append(helper.make_node("Transpose" if last else "Identity", [result], [name], **last))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape]))
    faces = helper.make_tensor_value_info("faces", TensorProto.UINT8, ["n", *INPUT_SHAPE[:2]])
    proto = helper.make_graph(graph.nodes, "expressions", [faces], outputs, graph.constants)
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model


def _add_layer(graph: Graph, layer: Any, inputs: list[str]) -> str:
    """Add what a layer computes, with channels first; return the name of its output."""
    kind = type(layer).__name__
    if kind in UNCHANGED:
        return inputs[0]
    if kind in LIKE_ONNX:
        return graph.add(LIKE_ONNX[kind], inputs)
    if kind not in LAYERS:
        raise TrainingError(f"A network with a layer of the kind {kind} cannot be exported as ONNX.")
    return LAYERS[kind](graph, layer, inputs)


def _add_scale(graph: Graph, layer: Any, inputs: list[str]) -> str:
    scaled = graph.add("Mul", [*inputs, graph.constant(np.array(layer.scale, np.float32))])
    return graph.add("Add", [scaled, graph.constant(np.array(layer.offset, np.float32))])


def _add_normalization(graph: Graph, layer: Any, inputs: list[str]) -> str:
    parameters = [graph.constant(np.asarray(values, np.float32)) for values in layer.get_weights()]
    return graph.add("BatchNormalization", [*inputs, *parameters], epsilon=layer.epsilon)


def _add_pooling(graph: Graph, layer: Any, inputs: list[str]) -> str:
    return graph.add("MaxPool", inputs, kernel_shape=layer.pool_size, strides=layer.strides)


def _add_average(graph: Graph, layer: Any, inputs: list[str]) -> str:
    average = graph.add("GlobalAveragePool", inputs)
    return average if layer.keepdims else graph.add("Flatten", [average])


def _add_flattening(graph: Graph, _: Any, inputs: list[str]) -> str:
    return graph.add("Flatten", [graph.add("Transpose", inputs, perm=[0, 2, 3, 1])])


def _add_weights(graph: Graph, layer: Any, inputs: list[str]) -> str:
    """Add a convolution or a dense layer; one on the channels of a picture is a convolution of one pixel."""
    kernel, *bias = (np.asarray(values, np.float32) for values in layer.get_weights())
    biases = [graph.constant(values) for values in bias]
    if len(layer.input.shape) == 2:
        return _add_activation(graph, layer, [graph.add("Gemm", [*inputs, graph.constant(kernel), *biases])])
    kernel = kernel.reshape(1, 1, *kernel.shape) if kernel.ndim == 2 else kernel
    height, width = kernel.shape[:2]
    pads = [height // 2, width // 2] * 2
    sums = graph.add("Conv", [*inputs, graph.constant(kernel.transpose(3, 2, 0, 1)), *biases], pads=pads)
    return _add_activation(graph, layer, [sums])


def _add_activation(graph: Graph, layer: Any, inputs: list[str]) -> str:
    name = layer.activation.__name__
    return inputs[0] if name == "linear" else graph.add(ACTIVATIONS[name], inputs)


UNCHANGED: Final = ("ConvertToTensor", "Dropout")
LIKE_ONNX: Final = {"Multiply": "Mul", "Softmax": "Softmax"}
LAYERS: Final[dict[str, Callable[[Graph, Any, list[str]], str]]] = {
    "Rescaling": _add_scale,
    "Conv2D": _add_weights,
    "Dense": _add_weights,
    "BatchNormalization": _add_normalization,
    "Activation": _add_activation,
    "MaxPooling2D": _add_pooling,
    "GlobalAveragePooling2D": _add_average,
    "Flatten": _add_flattening,
}
"""What adds a layer, by its kind."""
