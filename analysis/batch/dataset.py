"""The tables of a run over many files: Parquet datasets that grow file by file, a part for each file.

    out/frames/*.parquet    a row a face and frame, and one where a frame has no face (`parquet.frames_table`)
    out/intervals/*.parquet a row a stretch in which a face shows an expression (`intervals.COLUMNS`)
    out/faces/*.parquet     a row a person in a file (`face_table.face_rows`)
    out/files/*.parquet     a row a file (`file_row`); written last, when its parts of the others are there
    out/aside/              the same for files that the last run did not name, and that its tables leave out

A dataset is read in one line: `pandas.read_parquet("out/frames")`.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

import pandas as pd

from analysis.recording.face_table import SHARES, share_columns
from files import printable, write_whole

Table = Literal["frames", "intervals", "faces", "files"]
TABLES: Final[tuple[Table, ...]] = ("frames", "intervals", "faces", "files")
ASIDE: Final = "aside"
LEFT_OUT: Final = "left out"
"""The state of a file that a folder has, and that is not looked at."""
_LEFT_OUT_KEY: Final = "left-out"
RESERVED: Final = {*TABLES, "markers", "groups", "pairs", ASIDE, _LEFT_OUT_KEY}
"""Names in a run's folder that no file's own folder may have."""

_FILE_TYPES: Final = {
    **dict.fromkeys(("file", "state", "reason", "note", "kind"), "str"),
    **dict.fromkeys(("begin", "seconds", "fps"), "float64"),
    **dict.fromkeys(("width", "height", "frames", "frames_with_faces", "faces", "compared", "run"), "Int64"),
    **dict.fromkeys(SHARES, "float64"),
    **dict.fromkeys(("sha256", "fingerprint", "precision", "path", "stamp", "folder"), "str"),
    **dict.fromkeys(("detector", "weights", "rest", "sampling"), "str"),
}


def file_row(values: Mapping[str, Any]) -> pd.DataFrame:
    """Return the row of one file; what is not given is empty, and so are shares where there is no face.

    Columns: file (its name in the run), state (done, failed, stopped or left out), reason (of a failure, or why it was
    left out), note, kind (video or picture),
    begin (seconds from the first frame to where looking began), seconds (that were looked at), fps (frames a second
    that were looked at), width and height (pixels), frames, frames_with_faces, faces,
    the share (0-1) of each expression in the time with faces, sha256 (of the content), fingerprint (of settings and
    weights), precision (of the network: int8 or float32), path, stamp (by which a changed file is known without
    reading it), folder (of its own results), and what it was analysed with: detector, weights (the beginning of the
    hash of the network's files), rest (of `BaselineSource.kind`; empty for none), sampling. `compared` is the number of
    faces that were compared with their rest, `run` that of the run in run.json which made the row.
    """
    row = {name: values.get(name, "" if kind == "str" else None) for name, kind in _FILE_TYPES.items()}
    if not row["faces"]:
        row |= dict.fromkeys(SHARES)
    return pd.DataFrame([row]).astype(_FILE_TYPES)


def video_values(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the row of a video's file has of its `summary.json`, by column."""
    values = {name: summary[name] for name in ("width", "height", "fps", "frames", "frames_with_faces")}
    begin, end = summary["begin"], summary["duration"]
    values |= {"kind": "video", "begin": begin, "seconds": end - begin, "faces": len(summary["faces"])}
    values["note"] = summary.get("note", "")  # which results of earlier versions lack
    rest = summary["rest"]
    values |= {"rest": rest["kind"], "compared": len(rest["faces"])} if rest else {"compared": 0}
    return values | share_columns(summary["shares"])


class Dataset:
    """The tables in a run's folder."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def part(self, table: Table, key: str) -> Path:
        """Return the path of one file's part of a table; `key` is the name of the file's own folder."""
        return self._out / table / f"{key}.parquet"

    def write(self, table: Table, key: str, rows: pd.DataFrame) -> None:
        """Write one file's part of a table.

        Raises:
            ResultsError: It cannot be written.

        """
        write_whole(self.part(table, key), lambda partial: rows.to_parquet(partial, index=False))

    def write_left_out(self, reasons: Mapping[str, str]) -> None:
        """Say in `files` what the last run left out of folders: reasons by paths.

        Raises:
            ResultsError: It cannot be written.

        """
        self.part("files", _LEFT_OUT_KEY).unlink(missing_ok=True)
        rows = [
            file_row(
                {"file": printable(PurePosixPath(path).name), "state": LEFT_OUT, "reason": why, "path": printable(path)}
            )
            for path, why in reasons.items()
        ]
        if rows:
            self.write("files", _LEFT_OUT_KEY, pd.concat(rows, ignore_index=True))

    def copy(self, table: Table, key: str, part: Path) -> None:
        """Take a file that is a part of a table already.

        Raises:
            ResultsError: It cannot be written.

        """
        write_whole(self.part(table, key), lambda partial: shutil.copyfile(part, partial))

    def reset(self, key: str, row: pd.DataFrame) -> None:
        """Keep of one file nothing but its row in `files`, which is written first.

        Raises:
            ResultsError: It cannot be written.

        """
        self.write("files", key, row)
        for table in TABLES[:-1]:
            self.part(table, key).unlink(missing_ok=True)

    @property
    def aside(self) -> "Dataset":
        """What the tables leave out, since the last run did not name it."""
        return Dataset(self._out / ASIDE)

    def put_aside(self, key: str) -> None:
        """Take what the tables say of one file out of them, its row in `files` first."""
        self._move(key, reversed(TABLES), self.aside)

    def bring_back(self, key: str) -> None:
        """Put what was put aside into the tables again, the row in `files` last."""
        self.aside._move(key, TABLES, self)  # noqa: SLF001 - another of its kind

    def _move(self, key: str, tables: Iterable[Table], target: "Dataset") -> None:
        for table in tables:
            part, place = self.part(table, key), target.part(table, key)
            if part.is_file():
                place.parent.mkdir(parents=True, exist_ok=True)
                part.replace(place)

    def rename(self, key: str, file: str, **values: str) -> None:
        """Call a file by another name in all tables, and set other values of its row in `files`.

        Raises:
            ResultsError: It cannot be written.

        """
        for table in TABLES:
            if (part := self.part(table, key)).is_file():
                rows = pd.read_parquet(part)
                changed = rows.assign(file=file, **(values if table == "files" else {})).astype(dict(rows.dtypes))
                if not changed.equals(rows):
                    self.write(table, key, changed)

    def read(self, table: Table) -> pd.DataFrame:
        """Return a whole table, in the order of its parts' names; empty where there is none.

        `files` has all its columns, also where an earlier version wrote fewer.
        """
        parts = [pd.read_parquet(part) for part in self._parts(table)]
        rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
        if table != "files":
            return rows
        texts = [name for name, kind in _FILE_TYPES.items() if kind == "str"]
        rows = rows.reindex(columns=list(dict.fromkeys([*_FILE_TYPES, *rows.columns])))
        return rows.assign(**{name: rows[name].astype("object").fillna("") for name in texts}).astype(_FILE_TYPES)

    def write_csv(self, table: Table) -> None:
        """Write a whole table as one CSV file beside its folder, part by part; yes and no are 1 and 0.

        Raises:
            ResultsError: It cannot be written.

        """
        import pyarrow.parquet as pq  # a part of studies, which the page does without

        parts = list(self._parts(table))
        columns = list(dict.fromkeys(name for part in parts for name in pq.read_schema(part).names))

        def write(path: Path) -> None:
            with path.open("w", encoding="utf-8", newline="") as file:
                for number, part in enumerate(parts):
                    rows = pd.read_parquet(part).reindex(columns=columns)
                    truths = rows.select_dtypes(["bool", "boolean"]).columns
                    rows.astype(dict.fromkeys(truths, "Int8")).to_csv(file, index=False, header=number == 0)

        write_whole(self._out / f"{table}.csv", write)

    def _parts(self, table: Table) -> Iterator[Path]:
        yield from sorted((self._out / table).glob("[!.]*.parquet"))
