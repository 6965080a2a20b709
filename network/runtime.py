"""Runs networks on OpenVINO: those in ONNX files, and those of Keras."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13 as opset
from openvino.preprocess import PrePostProcessor

from errors import ModelError
from process import processors

MAX_THREADS: Final = 4
"""So small a network gains nothing from more, and detection and encoding need processors too."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network that can be compiled for the processor."""

    graph: openvino.Model
    """Its first output is probabilities (n, 7), its second, where there is one, evidence (n, h, w, 7)."""
    precision: str
    parameters: int

    def count_multiply_adds(self) -> int:
        """Return the multiplications with additions of one face's probabilities, in convolutions and dense layers."""
        whole = self.graph.clone()
        single = openvino.Model(whole.get_results()[:1], whole.get_parameters())
        shape = single.input(0).get_partial_shape()
        shape[0] = 1
        single.reshape(shape)
        total = 0
        for node in single.get_ops():
            kind = node.get_type_name()
            if kind in ("Convolution", "GroupConvolution"):
                # Kernels are (out, in, height, width), or (groups, out, in, height, width).
                kernel = node.get_input_shape(1)[1 + kind.startswith("Group") :]
                total += np.prod(node.get_output_shape(0)) * np.prod(kernel)
            elif kind == "MatMul":
                total += np.prod(node.get_output_shape(0)) * node.get_input_shape(0)[-1]
        return int(total)


def read(content: bytes) -> Network:
    """Return the network in an ONNX file's content, as training/quantization.py writes it.

    Raises:
        ModelError: It is damaged.

    """
    try:
        graph = openvino.Core().read_model(content)
        facts = {name: str(value.value) for name, value in graph.get_rt_info()["framework"].items()}
        return Network(graph, facts["precision"], int(facts["parameters"]))
    except (RuntimeError, KeyError, ValueError) as error:
        raise ModelError(next(iter(str(error).strip().splitlines()), "")) from error


def convert(network: Any, shape: tuple[int, ...], parameters: int) -> Network:
    """Return a keras.Model with so many parameters, for any number of inputs of a shape, in float32.

    Raises:
        ModelError: the folder for temporary files is full, or there is none.
    """
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network.xml"
            network.export(str(path), format="openvino", verbose=False)
            # As bytes, because Windows does not remove a file that is mapped into memory.
            graph = openvino.Core().read_model(path.read_bytes(), path.with_suffix(".bin").read_bytes())
    except OSError as error:
        raise ModelError(
            f"The model cannot be converted: {error}. Set TMPDIR to a folder that has room and can be written to."
        ) from error
    _free_batch(graph)
    graph.reshape([-1, *shape])
    _move_transposes(graph)
    return Network(graph, "float32", parameters)


def compile_graph(graph: openvino.Model, threads: int | None = None) -> openvino.InferRequest:
    """Return what runs a graph on the processor, for one caller at a time.

    It computes on so many threads; on those that there are processors, MAX_THREADS at most, if not given.
    """
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        # What is not in 8 bits: where a processor has half precision, OpenVINO would use it, and probabilities
        # would differ by a hundredth.
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads or min(processors(), MAX_THREADS),
        # OpenCV's threads take turns with these on the same cores.
        "ENABLE_CPU_PINNING": False,
    }
    return openvino.Core().compile_model(graph, "CPU", settings).create_infer_request()


def read_picture_network(content: bytes) -> openvino.Model:
    """Return the graph of an ONNX file, made to take uint8 pictures (n, h, w, 3) of any size, not float32 planes.

    Args:
        content: Of a network whose one input is (1, 3, h, w), with h and w left open.
    """
    graph = openvino.Core().read_model(content)
    graph.reshape([-1, 3, -1, -1])
    steps = PrePostProcessor(graph)
    steps.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps.input().model().set_layout(openvino.Layout("NCHW"))
    return steps.build()


def _free_batch(graph: openvino.Model) -> None:
    """Let flattening take any number of inputs: Keras converts a network as it is for one, and writes that down."""
    for node in graph.get_ops():
        if node.get_type_name() == "Reshape" and node.input_value(1).get_node().get_type_name() == "Constant":
            shape = _constant(node, 1)
            if len(shape) == 2 and -1 not in shape:
                node.input(1).replace_source_output(opset.constant([-1, shape[1]], np.int64).output(0))


def _move_transposes(graph: openvino.Model) -> None:
    """Let transposes meet and cancel out, so that each convolution takes in its batch normalisation and ReLU.

    Keras keeps channels last, OpenVINO's convolutions take them first; the transposes that Keras puts around
    every layer would keep OpenVINO from fusing what lies between, which costs a fifth of the time.
    """
    for node in graph.get_ordered_ops():
        before = _transpose_before(node)
        if before is None:
            continue
        kind, order, users = node.get_type_name(), _constant(before, 1), node.output(0).get_target_inputs()
        moved = node.output(0)
        if kind == "Transpose":
            order, moved = order[_constant(node, 1)], before.input_value(0)
        elif kind == "ReduceMean":
            node.input(1).replace_source_output(opset.constant(order[_constant(node, 1)]).output(0))
        elif kind == "Multiply":
            node.input(1).replace_source_output(opset.transpose(node.input_value(1), np.argsort(order)).output(0))
        elif kind != "Relu" and not (kind == "BatchNormInference" and order[1] == 1):  # That needs the channels there.
            continue
        node.input(0).replace_source_output(before.input_value(0))
        if list(order) != [0, 1, 2, 3]:
            moved = opset.transpose(moved, order).output(0)
        for user in users:
            user.replace_source_output(moved)
    graph.validate_nodes_and_infer_types()


def _transpose_before(node: openvino.Node) -> openvino.Node | None:
    """Return the transpose before a node that takes and gives pictures, which have four dimensions."""
    pictures = [*node.outputs(), *node.inputs()[:1], *(node.inputs() if node.get_type_name() == "Multiply" else [])]
    if not node.inputs() or any(len(picture.get_partial_shape()) != 4 for picture in pictures):
        return None
    before = node.input_value(0).get_node()
    while before.get_type_name() == "Convert":  # Of float32 to float32: Keras converts wherever it might matter.
        before = before.input_value(0).get_node()
    return before if before.get_type_name() == "Transpose" else None


def _constant(node: openvino.Node, index: int) -> NDArray[np.int64]:
    return np.atleast_1d(node.input_value(index).get_node().get_data())
