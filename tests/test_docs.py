"""Documentation does not go stale: what can be called, set or counted is on a page, and commands there are right."""

import re
import runpy
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

import analyze
import app as app_module
import benchmark
import evaluate
from analysis.output.tables import columns
from config import ROOT
from entities import EXPRESSIONS
from web.metrics import Metrics
from web.serving.server import Server

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "MODEL_CARD.md", *sorted((ROOT / "docs").rglob("*.md"))]
DOCUMENTED = "\n".join(page.read_text("utf-8") for page in PAGES)
PARSERS: dict[str, Callable[[list[str]], object]] = {
    "analyze.py": analyze.parse,
    "app.py": app_module.parse,
    "benchmark.py": benchmark.parse,
    "evaluate.py": evaluate.parse,
}
"""The commands that people type, and what reads their options."""


def page(name: str) -> str:
    """Return the text of a page in docs/."""
    return (ROOT / "docs" / name).read_text("utf-8")


def anchor(heading: str) -> str:
    """Return the name that a heading has in links, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def commands() -> Iterator[str]:
    """Yield the commands in blocks of shell code and in backquotes, continued lines joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```", DOCUMENTED, flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"(?<!`)`([^`]+)`(?!`)", re.sub(r"^```.*?^```", "", DOCUMENTED, flags=re.MULTILINE | re.DOTALL))
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    yield from (line.strip() for line in [*lines, *(" ".join(span.split()) for span in spans)] if line.strip())


PYTHON_COMMANDS = sorted(
    {line for line in commands() if re.match(r"python \w+\.py .*", line) and not re.search(r"\.\.\.|\bmine\b", line)}
)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path):
    """A link to a file of the repository, or to a heading in one, has a target."""
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", path.read_text("utf-8")):
        name, _, heading = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), f"{path.name} links to {target}"
        if heading:
            headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), flags=re.MULTILINE)
            assert heading in map(anchor, headings), f"{path.name} links to {target}"


@pytest.mark.parametrize("program", PARSERS)
def test_every_option_is_documented(program: str, capsys: pytest.CaptureFixture[str]):
    """Whatever a command's help lists is explained on a page, too."""
    with pytest.raises(SystemExit):
        PARSERS[program](["--help"])
    options = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", capsys.readouterr().out)) - {"--help", "--version"}
    options -= {f"--no-{option.removeprefix('--')}" for option in options}
    missing = {option for option in options if not re.search(rf"{option}(?![\w-])", DOCUMENTED)}
    assert not missing


@pytest.mark.parametrize("command", PYTHON_COMMANDS)
def test_documented_commands_are_understood(command: str):
    """A command that a page tells people to type has only options that there are."""
    program, *arguments = shlex.split(command, comments=True)[1:]
    assert (ROOT / program).is_file()
    if "--help" not in arguments and program in PARSERS:
        PARSERS[program](arguments)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_left_to_be_filled_in(path: Path):
    """No page waits for a table or a figure."""
    assert not re.search(r"^[A-Z_]{4,}$|TODO|\b[A-Z]+_MS\b", path.read_text("utf-8"), flags=re.MULTILINE)


def test_make_knows_what_pages_tell_people_to_make():
    """Every target in a page is one of the Makefile's, and every one of these is on a page."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, flags=re.MULTILINE))
    named = set(re.findall(r"(?<!\w)make ([a-z]+)(?=[`\s])", "\n".join(commands())))
    assert named <= targets
    assert targets - named <= {"help", "clean", "lint"}


def test_every_route_is_documented(app: Flask):
    """The page of the API names each with its methods; of pages for people, the address."""
    text = page("api.md")
    for rule in app.url_map.iter_rules():
        if rule.endpoint.endswith("static"):
            continue
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            calls = f"`{method} {rule.rule}`" in text or (method == "GET" and f"`{rule.rule}`" in text)
            assert calls, f"{method} {rule.rule} is missing in docs/api.md"


def test_every_column_is_documented():
    """What the tables of frames have is in the page on analysing files, by name; the expressions are one group."""
    single = set(columns(uncorrected=True)) - set(EXPRESSIONS) - {f"as_seen_{name}" for name in EXPRESSIONS}
    assert {name for name in single if f"`{name}`" not in page("analyze.md")} == set()


def test_every_metric_is_documented():
    """What Prometheus reads of ours is in the page of the API."""
    exposed = Metrics().text().decode()
    types = re.findall(r"^# TYPE (fer_\w+)", exposed, flags=re.MULTILINE)
    names = {name for name in types if not name.endswith("_created")}
    assert names
    assert {name for name in names if f"`{name}`" not in page("api.md")} == set()


def test_the_example_for_programs_runs(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    """The Python code in docs/api.md, as it stands there, prints the face in a picture."""
    code = re.findall(r"^```python\n(.*?)^```", page("api.md"), flags=re.MULTILINE | re.DOTALL)[0]
    script = tmp_path / "example.py"
    script.write_text(code.replace("127.0.0.1:5000", f"127.0.0.1:{server.bind_addr[1]}"), encoding="utf-8")
    shutil.copy(ROOT / "tests" / "data" / "grace_hopper.jpg", tmp_path / "portrait.jpg")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script))
    assert re.fullmatch(r"\[\d+, \d+, \d+, \d+\] Happy 80%\n", capsys.readouterr().out)
