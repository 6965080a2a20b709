"""Imports run one way, and the web starts without the weight of a neural network."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from config import ROOT

BASE = {"config", "entities", "errors", "files", "parts", "process"}
ALLOWED = {
    "errors": set(),
    "entities": set(),
    "parts": {"errors"},
    "process": set(),
    "files": {"errors"},
    "config": {"errors"},
    "network": BASE,
    "vision": BASE | {"network"},
    "expressions": BASE,
    "model": BASE | {"network"},
    "classifier": BASE | {"model"},
    "pacing": set(),
    "pipeline": BASE | {"pacing", "vision", "expressions"},
    "analysis": BASE | {"vision", "expressions", "pipeline", "classifier", "network"},
    "live": BASE | {"vision", "expressions", "pipeline"},
    "camera": BASE | {"vision", "expressions", "pipeline", "live"},
    "outputs": BASE | {"expressions", "camera", "analysis"},
    "web": BASE | {"network", "vision", "expressions", "pipeline", "camera", "analysis", "outputs"},
    "app": BASE | {"vision", "expressions", "pipeline", "camera", "analysis", "outputs", "web", "classifier"},
    "training": BASE | {"vision", "expressions", "pipeline", "model", "network"},
    "analyze": BASE | {"vision", "expressions", "pipeline", "analysis", "classifier"},
    "evaluate": BASE | {"vision", "expressions", "model", "training"},
    "benchmarks": BASE | {"vision", "pipeline", "model", "network", "training", "analysis", "web"},
    "benchmark": BASE | {"benchmarks", "classifier", "vision"},
}
"""What each room may import of the others; a room that is not named here does not exist."""
IN_ANALYSIS = {
    "output": set(),
    "recording": {"output"},
    "batch": {"output", "recording"},
    "study": {"output", "recording", "batch"},
    "pairs": {"output", "recording", "batch", "study"},
    "queue": {"output", "recording"},
}
"""What each room in analysis/ may import of the others there."""
MAX_FILES = 15
"""Modules or scripts in a room, at most: a newcomer looks through so many."""
NETWORKS = {"keras", "tensorflow", "torch", "openvino", "ai_edge_litert", "onnx", "onnxruntime"}
MAY_USE_NETWORKS = {"network", "model", "training", "evaluate"}
OWN_FILES = [
    path
    for path in [*ROOT.glob("*.py"), *(path for room in ALLOWED for path in (ROOT / room).rglob("*.py"))]
    if path.stem != "conftest"
]


def name(path: Path) -> str:
    """Return what a module is imported as."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def modules(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            within = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from [found for found in within if (ROOT / found.replace(".", "/")).with_suffix(".py").is_file()] or [
                node.module or ""
            ]


def imported(path: Path) -> set[str]:
    """Return the top-level names that a file imports."""
    return {module.partition(".")[0] for module in modules(path)}


@pytest.mark.parametrize("path", OWN_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path):
    """A room imports only rooms below it, and only the model and the training use neural network libraries."""
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    names = imported(path)
    assert names & ALLOWED.keys() <= ALLOWED[room] | {room}
    if room not in MAY_USE_NETWORKS:
        assert not names & NETWORKS


@pytest.mark.parametrize("room", IN_ANALYSIS)
def test_the_rooms_of_analysis_import_one_way(room: str):
    """A study is made of runs, a run of recordings, and these write output; the queue knows recordings alone."""
    for path in (ROOT / "analysis" / room).glob("*.py"):
        others = {name.split(".")[1] for name in modules(path) if name.startswith("analysis.")}
        assert others <= IN_ANALYSIS[room] | {room}, path


def test_modules_import_each_other_in_no_circle():
    """Reading one module never leads back to it."""
    graph = TopologicalSorter({name(path): set(modules(path)) - {name(path)} for path in OWN_FILES})
    graph.prepare()


@pytest.mark.parametrize("room", [*(room for room in ALLOWED if (ROOT / room).is_dir()), "static/js", "tests"])
def test_rooms_are_small(room: str):
    """No folder has more files than one looks through."""
    for folder in (path for path in [ROOT / room, *(ROOT / room).rglob("*")] if path.is_dir()):
        files = [path for path in folder.iterdir() if path.suffix in (".py", ".js") and path.stem != "__init__"]
        assert len(files) <= MAX_FILES, folder


def test_a_report_on_the_pages_videos_needs_no_library_of_studies():
    """The page works where only requirements/run.txt is installed."""
    missing = "import sys; sys.modules.update(dict.fromkeys(('scipy', 'pyarrow', 'fsspec')));"
    code = f"{missing} import analysis.study.joint_report"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_web_starts_without_the_network_libraries():
    """Importing the application and making one imports none of them: the page has to be there at once."""
    code = (
        "import sys, app, config; app.create_app(config.Settings(source='static/demo.mp4'));"
        f"print([name for name in {sorted(NETWORKS | {'pandas', 'matplotlib', 'sklearn'})} if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
