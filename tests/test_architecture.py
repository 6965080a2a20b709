"""Imports run one way, and the web starts without the weight of a neural network."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import ROOT

BASE = {"config", "entities", "errors", "files", "parts"}
ALLOWED = {
    "errors": set(),
    "entities": set(),
    "parts": {"errors"},
    "files": {"errors"},
    "config": {"errors"},
    "vision": BASE,
    "expressions": BASE,
    "runtime": BASE,
    "keras_network": BASE,
    "model": BASE | {"runtime", "keras_network"},
    "pipeline": BASE | {"vision", "expressions"},
    "analysis": BASE | {"vision", "expressions", "pipeline", "model"},
    "live": BASE | {"vision", "expressions", "pipeline"},
    "camera": BASE | {"vision", "expressions", "pipeline", "live"},
    "web": BASE | {"vision", "expressions", "pipeline", "camera", "analysis"},
    "app": BASE | {"vision", "expressions", "pipeline", "camera", "analysis", "web", "model"},
    "training": BASE | {"vision", "expressions", "pipeline", "model", "keras_network"},
    "analyze": BASE | {"vision", "expressions", "pipeline", "analysis", "model"},
    "evaluate": BASE | {"vision", "expressions", "model", "training"},
    "benchmarks": BASE | {"vision", "pipeline", "model", "keras_network", "training", "analysis"},
    "benchmark": BASE | {"benchmarks", "model", "vision"},
}
"""What each room may import of the others; a room that is not named here does not exist."""
NETWORKS = {"keras", "tensorflow", "torch", "openvino", "ai_edge_litert", "onnx", "onnxruntime"}
MAY_USE_NETWORKS = {"keras_network", "model", "runtime", "training", "evaluate"}
OWN_FILES = [
    path
    for path in [*ROOT.glob("*.py"), *(path for room in ALLOWED for path in (ROOT / room).rglob("*.py"))]
    if path.stem != "conftest"
]


def imported(path: Path) -> Iterator[str]:
    """Yield the top-level names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("path", OWN_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path):
    """A room imports only rooms below it, and only the model and the training use neural network libraries."""
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    names = set(imported(path))
    assert names & ALLOWED.keys() <= ALLOWED[room] | {room}
    if room not in MAY_USE_NETWORKS:
        assert not names & NETWORKS


def test_a_report_on_the_pages_videos_needs_no_library_of_studies():
    """The page works where only requirements/run.txt is installed."""
    code = "import sys; sys.modules.update(dict.fromkeys(('scipy', 'pyarrow', 'fsspec'))); import analysis.joint_report"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_web_starts_without_the_network_libraries():
    """Importing the application and making one imports none of them: the page has to be there at once."""
    code = (
        "import sys, app, config; app.create_app(config.Settings(source='static/demo.mp4'));"
        f"print([name for name in {sorted(NETWORKS | {'pandas', 'matplotlib', 'sklearn'})} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
