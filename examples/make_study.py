"""Make the recordings of a small study from two public-domain portraits: clips, markers.csv and groups.csv in a folder.

In every clip somebody sits alone, and after about two seconds a visitor comes in who smiles. Five people of the group
"warm" smile back, five of the group "cool" hardly do. All ten are Grace Hopper's portrait, each with a camera and light
of its own; the corners of the mouth are moved by warping the picture. The visitor is Eileen Collins's portrait as it
is.

    python examples/make_study.py [FOLDER]
"""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

PORTRAITS: Final = Path(__file__).resolve().parent.parent / "tests" / "data"
WIDTH, HEIGHT, FPS, SECONDS = 480, 270, 10, 4
VISITS: Final = (1.6, 2.3, 1.9, 2.1, 1.7)
"""Seconds after which the visitor comes in, by the person's number in the group."""
PEOPLE: Final = 5
"""In each group."""
SMILES: Final = {"warm": 4.2, "cool": 0.9}
"""How far people of each group raise the corners of the mouth, in hundredths of the portrait's height."""
MOUTH: Final = ((114, 140), (156, 140))
"""The corners of Hopper's mouth, x and y in pixels of her portrait at half its size."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Person:
    """One who takes part: how the portrait is shown, and how the person answers a smile."""

    group: str
    number: int
    smile: float
    """How far the corners of the mouth go up, in hundredths of the portrait's height."""
    latency: float
    """Seconds from the visit to the beginning of the smile."""
    zoom: float
    light: float
    mirrored: bool

    @property
    def visit(self) -> float:
        """Return the seconds after which the visitor comes in."""
        return VISITS[self.number - 1]

    @property
    def name(self) -> str:
        """Return the name of the person, and of the clip."""
        return f"{self.group}-{self.number}"

    def smile_at(self, time: float) -> float:
        """Return how much of the smile there is: it takes half a second to come, and stays."""
        return self.smile * float(np.clip((time - self.visit - self.latency) / 0.5, 0, 1))


def people() -> list[Person]:
    """Return those who take part, the same in every run."""
    rng = np.random.default_rng(19)
    return [
        Person(
            group=group,
            number=number,
            smile=smile * rng.uniform(0.8, 1.2),
            latency=rng.uniform(0.2, 1.0),
            zoom=rng.uniform(0.9, 1.1),
            light=rng.uniform(0.85, 1.15),
            mirrored=bool(number % 2),
        )
        for group, smile in SMILES.items()
        for number in range(1, PEOPLE + 1)
    ]


def smiling(portrait: Picture, amount: float) -> Picture:
    """Return Hopper's portrait with the corners of the mouth drawn up and out, softly fading to where nothing moves."""
    rows, columns = np.mgrid[: portrait.shape[0], : portrait.shape[1]].astype(np.float32)
    for (x, y), side in zip(MOUTH, (-1, 1), strict=True):
        near = amount * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 10.5**2))
        columns, rows = columns - side * 1.4 * near, rows + 3 * near
    return np.asarray(cv2.remap(portrait, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def frame(person: Person, hopper: Picture, collins: Picture, time: float) -> Picture:
    """Return the scene at a time: the person on the left and, from the visit on, the visitor on the right."""
    scene = np.full((HEIGHT, WIDTH, 3), (96, 88, 80), np.uint8)
    shown = smiling(hopper, person.smile_at(time))
    shown = np.asarray(np.clip(person.light * shown, 0, 255), np.uint8)
    sway = 3 * np.sin(1.3 * time + person.number)
    place(scene, shown[:, ::-1] if person.mirrored else shown, 0.9 * person.zoom, WIDTH * 0.27 + sway)
    if time >= person.visit:
        place(scene, collins, 0.95, WIDTH * 0.77 - sway)
    return scene


def place(scene: Picture, picture: Picture, scale: float, x: float) -> None:
    """Draw a picture into the scene, with its middle at x."""
    matrix = np.array(
        [[scale, 0, x - scale * picture.shape[1] / 2], [0, scale, HEIGHT / 2 - scale * picture.shape[0] / 2]]
    )
    cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), dst=scene, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_TRANSPARENT)


def write_clip(path: Path, person: Person, hopper: Picture, collins: Picture) -> None:
    """Write one person's clip as H.264."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(FPS * SECONDS):
            picture = frame(person, hopper, collins, index / FPS)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


def write_rows(path: Path, rows: list[tuple[object, ...]]) -> None:
    """Write a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def make_study(folder: Path) -> None:
    """Write the clips to `folder`/clips, and the lists of markers and groups beside them."""
    clips = folder / "clips"
    clips.mkdir(parents=True, exist_ok=True)
    hopper = read("grace_hopper.jpg")
    hopper = np.asarray(cv2.resize(hopper, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
    collins = np.ascontiguousarray(read("astronaut.png")[20:280, 110:345])
    taking_part = people()
    for person in taking_part:
        write_clip(clips / f"{person.name}.mp4", person, hopper, collins)
    markers = [
        (f"{person.name}.mp4", time, label)
        for person in taking_part
        for time, label in ((0.0, "alone"), (person.visit, "visitor"))
    ]
    write_rows(folder / "markers.csv", [("file", "time", "label"), *markers])
    write_rows(
        folder / "groups.csv",
        [("file", "group", "person"), *((f"{person.name}.mp4", person.group, person.name) for person in taking_part)],
    )


def read(name: str) -> Picture:
    """Return a portrait, (H, W, 3) BGR."""
    return np.asarray(cv2.imread(str(PORTRAITS / name)), np.uint8)


def main() -> None:
    """Write the study where the command line says."""
    parser = argparse.ArgumentParser(
        description="Make the recordings of a small study from two public-domain portraits."
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path("recordings"), help="default: %(default)s")
    folder = parser.parse_args().folder
    make_study(folder)
    print(f"{folder}: {2 * PEOPLE} clips, markers.csv and groups.csv")


if __name__ == "__main__":
    main()
