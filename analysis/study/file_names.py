"""Which file of a run a name in somebody's list means: the longest common end of two paths decides."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from pandas import DataFrame

from analysis.study.study_tables import encoding_note, shortened
from errors import StudyError

Parts = tuple[str, ...]
"""Of a path: its folders and the file, last."""


@dataclass(frozen=True, slots=True)
class _Match:
    """A file that a name may mean."""

    file: str
    common: int
    """How many parts of the two paths, counted from their ends, are the same."""
    contradicted: bool
    """Whether the part before these is another: the name was written on another computer, or means another file."""


def run_names(
    path: Path, names: Iterable[str], files: Sequence[str], paths: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return which file of a run each name means.

    Letters are compared as they look (NFC): names as they are written, then without case, then also without a suffix
    that the list leaves out.

    Args:
        path: The list, for messages.
        names: As the list has them; Windows' paths, too.
        files: As the run names them.
        paths: Where they lie, by these names, as far as that is known.

    Returns:
        The names that mean a file, with that file; the others are left out.

    Raises:
        StudyError: A name means several files, two names mean one, or none of the names means any.

    """
    wanted = list(dict.fromkeys(names))
    known = _Files({file: _parts((paths or {}).get(file) or file) for file in files})
    found: dict[str, _Match] = {}
    for name in wanted:
        meant = known.meant(name)
        if len(meant) > 1:
            listed = ", ".join(match.file for match in meant[:3])
            raise StudyError(f"{path}: {name} means several files: {listed}. Write more of their paths.")
        if meant:
            found[name] = meant[0]
    if not found:
        raise StudyError(
            f"{path}: none of its files is among those that are analysed. It names {wanted[0]}, for example, and "
            f"analysed is {files[0] if files else 'none'}."
        )
    kept = _one_name_each(path, found)
    return {name: match.file for name, match in found.items() if name in kept}


def fitted(
    path: Path, table: DataFrame, files: Sequence[str], paths: Mapping[str, str] | None = None
) -> tuple[DataFrame, list[str]]:
    """Return the lines of a list that are about files of a run, by the run's names, and notes on what does not fit.

    Args:
        path: The list.
        table: What it says, with the column file.
        files: As the run names them.
        paths: Where they lie, by these names, as far as that is known.

    Raises:
        StudyError: As `run_names`.

    """
    found = run_names(path, table["file"], files, paths)
    notes = encoding_note(path) if path.is_file() else []
    if elsewhere := in_other_folders(found, paths or {}):
        known = [f"{name} ({found[name]})" for name in elsewhere]
        notes.append(f"{path.name}: found in another folder than the list says: {shortened(known)}.")
    if strangers := [name for name in table["file"].unique() if name not in found]:
        notes.append(f"{path.name}: not among the files that are analysed: {shortened(strangers)}.")
    return table[table["file"].isin(found)].assign(file=table["file"].map(found)), notes


def check_not_written(path: Path, written: Collection[Path]) -> None:
    """Refuse a list that the run would write over.

    Raises:
        StudyError: It is one of these files.

    """
    if path.resolve() in {other.resolve() for other in written}:
        raise StudyError(f"{path}: the run writes a table of this name. Rename yours, or choose another --out.")


def in_other_folders(found: Mapping[str, str], paths: Mapping[str, str]) -> list[str]:
    """Return the names, of those that `run_names` found, that say of a file that it lies in another folder."""
    both = ((name, _folded(_parts(name)), _folded(_parts(paths.get(file) or file))) for name, file in found.items())
    return [name for name, asked, parts in both if len(asked) > 1 < len(parts) and asked[-2] != parts[-2]]


class _Files:
    """The files of a run, found by the last part of their paths, by one rule after the other."""

    def __init__(self, paths: Mapping[str, Parts]) -> None:
        self._paths = paths
        self._indices: list[defaultdict[str, list[str]]] = []
        for of_file, _ in _RULES:
            index: defaultdict[str, list[str]] = defaultdict(list)
            for file, parts in paths.items():
                index[of_file(parts)[-1]].append(file)
            self._indices.append(index)

    def meant(self, name: str) -> list[_Match]:
        """Return the files that a name fits best, by the strictest rule that any fits by."""
        parts = _parts(name)
        for (of_file, of_name), index in zip(_RULES, self._indices, strict=True):
            asked = of_name(parts)
            matches = [_match(file, asked, of_file(self._paths[file])) for file in index.get(asked[-1], ())]
            if matches:
                longest = max(match.common for match in matches)
                best = [match for match in matches if match.common == longest]
                return [match for match in best if _parts(match.file) == parts] or best
        return []


def _match(file: str, name: Parts, parts: Parts) -> _Match:
    shorter = min(len(name), len(parts))
    common = next((n for n in range(shorter) if name[-1 - n] != parts[-1 - n]), shorter)
    return _Match(file, common, common < shorter)


def _one_name_each(path: Path, found: Mapping[str, _Match]) -> set[str]:
    """Return the names that have a file of their own.

    Of several that mean one file, it is the one that no folder contradicts, or which has the most of its path.
    """
    by_file: defaultdict[str, list[str]] = defaultdict(list)
    for name, match in found.items():
        by_file[match.file].append(name)
    kept = set()
    for names in by_file.values():
        first, *others = sorted(names, key=lambda name: (found[name].contradicted, -found[name].common))
        best = found[first]
        for other in others:
            rival = found[other]
            if not rival.contradicted or (best.contradicted and rival.common == best.common):
                one, two = (name for name in names if name in {first, other})
                raise StudyError(f"{path}: {one} and {two} are one file. Write its name in one way.")
        kept.add(first)
    return kept


def _parts(text: str) -> Parts:
    plain = unicodedata.normalize("NFC", text).replace("\\", "/")
    return tuple(part for part in plain.split("/") if part not in {"", ".", ".."}) or ("",)


def _as_written(parts: Parts) -> Parts:
    return parts


def _folded(parts: Parts) -> Parts:
    return tuple(part.casefold() for part in parts)


def _stem(parts: Parts) -> Parts:
    return (*parts[:-1], PurePosixPath(parts[-1]).stem)


def _folded_stem(parts: Parts) -> Parts:
    return _folded(_stem(parts))


def _entities(parts: Parts) -> Parts:
    """Return what BIDS puts before a file's last word: sub-01_task-film of sub-01_task-film_video.mp4."""
    stem = PurePosixPath(parts[-1]).stem
    return (*parts[:-1], stem.rpartition("_")[0] if stem.startswith("sub-") else "")


_Rule = Callable[[Parts], Parts]
_RULES: Final[tuple[tuple[_Rule, _Rule], ...]] = (
    (_as_written, _as_written),
    (_folded, _folded),
    (_stem, _as_written),
    (_folded_stem, _folded),
    (_entities, _as_written),
)
"""What is compared of a file's path and of a name in a list, from strict to loose."""
