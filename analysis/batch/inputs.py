"""What a run is to look at: files, folders, patterns, lists and addresses, each video or picture with a name."""

import glob
import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final, TextIO

from analysis.batch.encodings import OLD, encoding_of
from errors import SourceError
from files import printable
from parts import require
from vision.pictures import FORMATS, picture_type
from vision.video.video_file import is_video

ENDINGS: Final = frozenset(
    (
        *(".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".mkv", ".webm", ".avi", ".ts", ".mts", ".m2ts", ".mpg", ".mpeg"),
        *(".flv", ".ogv", ".wmv", ".asf", ".mxf", ".dv", ".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif"),
        *(".gif", ".tif", ".tiff", ".bmp"),
    )
)
"""Of files that folders are expected to have. Others are taken from a folder if their content is a picture or a video;
and files that are named, whatever they are."""
_PREVIEWS: Final = {".lrv": "a camera's small copy of a video", ".thm": "a camera's thumbnail of a video"}
"""Files that cameras write beside a recording, which would count twice."""
_VAGUE: Final = {"PNM", "icon"}
"""Kinds of pictures that begin like other files."""
_NEITHER: Final = "neither a picture nor a video"
_STAMPS: Final = ("size", "mtime", "ETag", "LastModified", "last_modified", "created")
"""What file systems tell of a file that changes with it."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a run."""

    address: str
    """A path, or an address that fsspec knows."""
    name: str
    """What the run's tables call it: as much of the end of its path as no other file has."""

    @property
    def is_remote(self) -> bool:
        """Whether it is an address, and not a path."""
        return "://" in self.address

    def stamp(self) -> str:
        """Return what changes with the file, as far as that is known without reading it; empty if nothing is.

        Raises:
            SourceError: There is no such file, or it cannot be reached.

        """
        if not self.is_remote:
            try:
                found = Path(self.address).stat()
            except OSError as error:
                raise SourceError(_why_not(error)) from None
            return f"{found.st_size} {found.st_mtime_ns}"
        with _remote(self.address) as (system, path):
            info = system.info(path)
        known = [f"{name}={info[name]}" for name in _STAMPS if info.get(name) is not None]
        return " ".join(known) if len(known) > 1 else ""

    @contextmanager
    def fetched(self) -> Iterator[Path]:
        """Give a path of the file on this computer; what was fetched for that is deleted afterwards.

        Raises:
            SourceError: There is no such file, or it cannot be reached.

        """
        if not self.is_remote:
            yield Path(self.address)
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / f"file{PurePosixPath(self.address).suffix[:10]}"
            with _remote(self.address) as (system, path):
                system.get_file(path, str(copy))
            yield copy


def sha256(path: Path) -> str:
    """Return the hash of a file's content.

    Raises:
        SourceError: It cannot be read.

    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(_why_not(error)) from None


@dataclass(frozen=True, slots=True)
class Found:
    """What inputs stand for."""

    files: list[str]
    """Absolute paths and addresses, each once, in the order of the inputs."""
    left_out: dict[str, str]
    """Files in folders that are not looked at, with the reason in words."""


def find_files(inputs: Sequence[str], stdin: TextIO, leave_out: Path) -> Found:
    """Return the files that inputs stand for.

    Args:
        inputs: Files, folders (searched with all folders in them, linked ones, too, each once), patterns such as
            `clips/*.mp4`, `@list.txt` with a path a line (unless a file has this name), `-` for such a list on standard
            input, and addresses that fsspec knows, such as s3://.
        stdin: Standard input.
        leave_out: A folder of which nothing is taken: that of the results.

    Raises:
        SourceError: A list cannot be read, or a folder or pattern has no file.

    """
    left_out: dict[str, str] = {}
    files = list(dict.fromkeys(_found(_listed(inputs, stdin), leave_out.absolute(), left_out)))
    return Found(files, {path: why for path, why in left_out.items() if path not in files})


def unique_names(addresses: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """Return what each file is called: the shortest end of its path that no other has; or as it is known already."""
    parts = [_parts(address) for address in addresses]
    counts = [1] * len(parts)
    others = Counter(name for address, name in known.items() if address not in addresses)
    while True:
        names = [
            known.get(address) or printable("/".join(part[-count:]))
            for address, part, count in zip(addresses, parts, counts, strict=True)
        ]
        often = others + Counter(names)
        longer = [
            min(count + 1, len(part)) if often[name] > 1 and address not in known else count
            for address, name, part, count in zip(addresses, names, parts, counts, strict=True)
        ]
        if longer == counts:
            return names
        counts = longer


def _listed(inputs: Iterable[str], stdin: TextIO) -> Iterator[str]:
    """Yield the inputs, and in the place of a list what it has, but for empty lines and comments (#)."""
    for text in inputs:
        if text == "-":
            lines = stdin.read().removeprefix("\ufeff").splitlines()
        elif text.startswith("@") and not Path(text).exists():
            try:
                lines = _lines(Path(text[1:]).read_bytes())
            except OSError as error:
                raise SourceError(f"{text}: the list cannot be read. {_why_not(error)}") from None
        else:
            yield text
            continue
        yield from (line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))


def _lines(data: bytes) -> list[str]:
    """Return the lines of a list; of one that is no Unicode, names of files that are there just so, byte for byte."""
    if (encoding := encoding_of(data)) != OLD:
        return data.decode(encoding).splitlines()
    names = ((os.fsdecode(line.strip()), line.decode(OLD, "replace")) for line in data.splitlines())
    return [raw if Path(raw).exists() else text for raw, text in names]


def _found(inputs: Iterable[str], leave_out: Path, left_out: dict[str, str]) -> Iterator[str]:
    for text in inputs:
        found = list(_in_remote(text, left_out) if "://" in text else _in_path(text, leave_out, left_out))
        if not found:
            raise SourceError(
                f"{text}: there is no {'such file' if glob.has_magic(text) else 'video or picture in it'}."
            )
        yield from found


def _in_path(text: str, leave_out: Path, left_out: dict[str, str]) -> Iterator[str]:
    path = Path(os.path.abspath(text))  # noqa: PTH100 - links stay what they are called, and ".." goes
    if path.is_dir():
        for file in _in_folder(path, leave_out):
            if why := _why_left_out(file):
                left_out[str(file)] = why
            else:
                yield str(file)
    elif glob.has_magic(text) and not path.exists():
        yield from sorted(name for name in glob.glob(str(path), recursive=True) if Path(name).is_file())  # noqa: PTH207
    else:
        yield str(path)


def _in_folder(path: Path, leave_out: Path) -> Iterator[Path]:
    """Yield the files in a folder and all folders in it, but for hidden ones; each folder once, however linked."""
    seen = {os.path.realpath(path), os.path.realpath(leave_out)}
    for folder, folders, names in os.walk(path, followlinks=True):
        inner = []
        for name in sorted(folders):
            place = os.path.realpath(Path(folder, name))
            if not name.startswith(".") and place not in seen:
                seen.add(place)
                inner.append(name)
        folders[:] = inner
        yield from (Path(folder, name) for name in sorted(names) if not name.startswith("."))


def _why_left_out(path: Path) -> str:
    """Return why a file in a folder is not looked at; empty where it is. Its content says what its name leaves open."""
    ending = path.suffix.lower()
    if ending in ENDINGS:
        return ""
    if ending in _PREVIEWS:
        return _PREVIEWS[ending]
    kind = picture_type(path)
    if (kind and kind.upper() in FORMATS) or is_video(path):
        return ""
    return f"a picture of a kind that cannot be read here ({kind})" if kind and kind not in _VAGUE else _NEITHER


def _in_remote(text: str, left_out: dict[str, str]) -> Iterator[str]:
    with _remote(text) as (system, path):
        if glob.has_magic(path) and not system.exists(path):
            found = sorted(system.glob(path))
        elif text.endswith("/") or ("http" not in system.protocol and system.isdir(path)):
            visible = [name for name in system.find(path) if not PurePosixPath(name).name.startswith(".")]
            found = sorted(name for name in visible if PurePosixPath(name).suffix.lower() in ENDINGS)
            others = sorted(set(visible) - set(found))
            left_out.update((system.unstrip_protocol(name), f"{_NEITHER} by its name") for name in others)
        else:
            found = [path]
        yield from (system.unstrip_protocol(name) for name in found)


def _parts(address: str) -> tuple[str, ...]:
    path = address.partition("://")[2].partition("?")[0] if "://" in address else address
    return tuple(part for part in Path(path).parts if part != os.sep)


@contextmanager
def _remote(address: str) -> Iterator[tuple[Any, str]]:
    """Give the file system of an address, and the path in it; what goes wrong with it is said in words."""
    with require():
        import fsspec  # which takes a moment that a run over local files need not wait for

    try:
        yield fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise SourceError(f"{address}: reading from there needs another package. {error}") from None
    except FileNotFoundError:
        raise SourceError("There is no such file. Check the address.") from None
    except Exception as error:  # each file system raises its own
        raise SourceError(f"It cannot be fetched ({type(error).__name__}: {error}). Check the address.") from error


def _why_not(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "There is no such file. Check the path."
    if isinstance(error, IsADirectoryError):
        return "This is a folder. Choose a file in it."
    return f"It cannot be read ({error.strerror or error}). Check its permissions."
