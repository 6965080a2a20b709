"""Which of Keras's backends trains here, and in which precision."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

from parts import how_to_install

BACKENDS: Final = {"jax": "jax", "torch": "torch", "tensorflow": "tensorflow"}
"""Keras's name of a backend, and the package that it needs."""


def choose_backend(wanted: str = "") -> tuple[str, str]:
    """Return the name of the backend to set as KERAS_BACKEND, and why it was taken.

    A backend that is asked for is taken. Otherwise JAX, which compiles each training step, where it finds a GPU; else
    PyTorch, which needs half of TensorFlow's time on a CPU; else TensorFlow.

    Raises:
        ValueError: There is no such backend, or none is installed.

    """
    if wanted:
        if wanted not in BACKENDS:
            raise ValueError(f"There is no backend {wanted!r}: set BACKEND to one of {', '.join(BACKENDS)}, or to ''.")
        return wanted, "set by BACKEND"
    if find_spec("jax") and _jax_has_gpu():
        return "jax", "JAX finds a GPU"
    if find_spec("torch"):
        return "torch", "PyTorch is installed, and faster than TensorFlow"
    if find_spec("tensorflow"):
        return "tensorflow", "PyTorch, which is faster, is not installed"
    raise ValueError(
        f"No backend of Keras is installed. Install torch, or TensorFlow with\n  {how_to_install('train')}"
    )


def choose_precision(backend: str, wanted: str = "") -> str:
    """Return the Keras dtype policy to train in: `wanted`, or mixed_bfloat16 where the hardware multiplies in it."""
    if wanted:
        return wanted
    if backend == "jax":
        return "mixed_bfloat16" if _jax_has_gpu() else "float32"
    if backend == "torch":
        import torch

        fast = torch.cuda.is_bf16_supported() if torch.cuda.is_available() else _cpu_has_bfloat16()
        return "mixed_bfloat16" if fast else "float32"
    return "float32"


def _jax_has_gpu() -> bool:
    import jax

    return str(jax.default_backend()) == "gpu"


def _cpu_has_bfloat16() -> bool:
    # Only Linux tells; without these instructions bfloat16 takes ten times as long as float32.
    cpu = Path("/proc/cpuinfo")
    return cpu.exists() and "avx512_bf16" in cpu.read_text()
