"""Writes config.example.toml and docs/settings.md from what config.py says of each setting.

python scripts/settings_reference.py
"""

import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from config import Section, Settings, allowed  # noqa: E402 - found beside this folder

WIDTH: Final = 118

EXAMPLE_HEAD: Final = """\
# Settings, with their defaults. Copy this file to config.toml and change what you like.
#
# Environment variables override it (FER_SOURCE=0, FER_SERVER__PORT=8080), and the command line overrides both
# (python app.py --source 0 --port 8080). A name or value that is not known here is an error that says so.
# Relative paths are looked up beside this file.
"""

PAGE_HEAD: Final = """\
# Settings

Copy [config.example.toml](../config.example.toml) to `config.toml` and change what you like. Environment variables
override the file (`FER_SOURCE=0`, `FER_SERVER__PORT=8080`: a dot in a name is two underscores), and the command line
overrides both (`python app.py --port 8080`, or `--set` with any name below). A wrong name or value is an error that
says what is allowed. Relative paths in the file are looked up beside it.

`python scripts/settings_reference.py` makes this page and the example file from `config.py`.
"""


def example() -> str:
    """Return config.example.toml: every setting with its default, those without one commented out."""
    settings = Settings()
    parts = [EXAMPLE_HEAD, *_entries(settings)]
    for name, section in _sections(settings):
        parts += [f"# {_purpose(section)}\n[{name}]\n", *_entries(section)]
    return "\n".join(parts)


def page() -> str:
    """Return docs/settings.md: a table of every section."""
    settings = Settings()
    parts = [PAGE_HEAD, _table("", settings)]
    parts += [f"## {name}\n\n{_purpose(section)}\n\n{_table(name, section)}" for name, section in _sections(settings)]
    return "\n".join(parts)


def _sections(settings: Section, prefix: str = "") -> Iterator[tuple[str, Section]]:
    """Yield each section that has settings of its own, named as in "outputs.osc"."""
    for name in type(settings).model_fields:
        section = getattr(settings, name)
        if isinstance(section, Section):
            if any(_values(section)):
                yield f"{prefix}{name}", section
            yield from _sections(section, f"{prefix}{name}.")


def _purpose(section: Section) -> str:
    return (type(section).__doc__ or "").strip()


def _values(section: Section) -> Iterator[tuple[str, Any, str]]:
    """Yield each setting's name, default and description; sections in this one are left out."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if not isinstance(value, Section):
            yield name, value, field.description or ""


def _entries(section: Section) -> Iterator[str]:
    for name, value, text in _values(section):
        comment = textwrap.fill(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
        examples = type(section).model_fields[name].examples
        line = f"# {name} = {_toml(examples[0])}" if value is None and examples else f"{name} = {_toml(value)}"
        yield f"{comment}\n{line}\n"


def _table(prefix: str, section: Section) -> str:
    schema = type(section).model_json_schema()["properties"]
    rows = ["| setting | default | allowed | |", "|---|---|---|---|"]
    for name, value, text in _values(section):
        full = f"{prefix}.{name}" if prefix else name
        default = "" if value is None else f"`{_toml(value)}`"
        rows.append(f"| `{full}` | {default} | {allowed(schema[name])} | {text.replace('*', chr(92) + '*')} |")
    return "\n".join(rows) + "\n"


def _toml(value: object) -> str:
    """Return a value as TOML writes it; JSON's texts, numbers, booleans and lists are the same."""
    if isinstance(value, Path):
        value = value.relative_to(ROOT).as_posix()
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def main() -> None:
    """Write both files."""
    (ROOT / "config.example.toml").write_text(example(), encoding="utf-8")
    (ROOT / "docs" / "settings.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
