"""Writes what an LSL inlet received as LabRecorder does: XDF, https://github.com/sccn/xdf/wiki/Specifications."""

import struct
from collections.abc import Sequence
from pathlib import Path

FILE_HEADER, STREAM_HEADER, SAMPLES, STREAM_FOOTER = 1, 2, 3, 6


def write_xdf(path: Path, streams: Sequence[tuple[str, list[list[float]], list[float]]]) -> None:
    """Write streams of float32, each as its description (XML), its samples and their times in seconds."""
    with path.open("wb") as file:
        file.write(b"XDF:" + _chunk(FILE_HEADER, b"<?xml version='1.0'?><info><version>1.0</version></info>"))
        for number, (description, samples, times) in enumerate(streams, 1):
            stream = struct.pack("<I", number)
            file.write(_chunk(STREAM_HEADER, stream + description.encode()))
            rows = [
                b"\x08" + struct.pack(f"<d{len(sample)}f", time, *sample)
                for sample, time in zip(samples, times, strict=True)
            ]
            file.write(_chunk(SAMPLES, stream + b"\x04" + struct.pack("<I", len(rows)) + b"".join(rows)))
            footer = f"<?xml version='1.0'?><info><sample_count>{len(rows)}</sample_count></info>"
            file.write(_chunk(STREAM_FOOTER, stream + footer.encode()))


def _chunk(tag: int, content: bytes) -> bytes:
    return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content
