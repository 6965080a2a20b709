"""Make the recordings of a small study from two public-domain portraits: clips, markers.csv and groups.csv in a folder.

In every clip somebody sits alone, and after about two seconds a visitor comes in who smiles. Five people of the group
"warm" smile back, five of the group "cool" hardly do. All ten are Grace Hopper's portrait, each with a camera and light
of its own; the corners of the mouth are moved by warping the picture. The visitor is Eileen Collins's portrait as it
is.

With --pairs it makes four conversations instead, each filmed by two cameras, of which one was started earlier. The
second person's smiles are 0.6 seconds later than the first one's. pairs.csv says which recordings belong together, and
by how much one is late.

    python examples/make_study.py [FOLDER] [--pairs]
"""

import argparse
import csv
from collections.abc import Iterable, Iterator
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

TALKS, TALK_SECONDS, ANSWER = 4, 40, 0.6
"""Conversations, how long each lasts, and seconds after which the second person smiles, too."""

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
    """Write one person's clip."""
    write_video(path, (frame(person, hopper, collins, index / FPS) for index in range(FPS * SECONDS)))


def write_video(path: Path, pictures: Iterable[Picture]) -> None:
    """Write pictures of the scene as H.264."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in pictures:
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
    hopper = half_size("grace_hopper.jpg")
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


def make_talks(folder: Path) -> None:
    """Write the conversations to `folder`/talks, and the list of pairs beside them."""
    talks = folder / "talks"
    talks.mkdir(parents=True, exist_ok=True)
    rng, hopper, rows = np.random.default_rng(19), half_size("grace_hopper.jpg"), []
    for number in range(1, TALKS + 1):
        late = round(rng.uniform(1, 4), 1)
        smiles = np.cumsum(rng.uniform(2.5, 6, 16))
        for name, begun, after in (("ann", 0.0, 0.0), ("ben", late, ANSWER)):
            path = talks / f"{name}-{number}.mp4"
            write_video(path, talking(hopper, smiles + begun + after, TALK_SECONDS + begun, mirrored=name == "ben"))
            rows.append((f"talk {number}", path.name, f"{name.title()} {number}", begun))
    write_rows(folder / "pairs.csv", [("pair", "file", "person", "late"), *rows])


def talking(hopper: Picture, smiles: NDArray[np.float64], seconds: float, *, mirrored: bool) -> Iterator[Picture]:
    """Yield the pictures of somebody who smiles at some times, each for a second and a half."""
    for index in range(round(FPS * seconds)):
        since = index / FPS - smiles
        amount = 4.2 * float(np.clip(np.minimum(since / 0.5, (2.0 - since) / 0.5), 0, 1).max())
        scene = np.full((HEIGHT, WIDTH, 3), (96, 88, 80), np.uint8)
        shown = smiling(hopper, amount)
        place(scene, shown[:, ::-1] if mirrored else shown, 0.9, WIDTH / 2 + 3 * np.sin(0.13 * index))
        yield scene


def half_size(name: str) -> Picture:
    """Return a portrait at half its size."""
    return np.asarray(cv2.resize(read(name), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)


def read(name: str) -> Picture:
    """Return a portrait, (H, W, 3) BGR."""
    return np.asarray(cv2.imread(str(PORTRAITS / name)), np.uint8)


def main() -> None:
    """Write the study where the command line says."""
    parser = argparse.ArgumentParser(
        description="Make the recordings of a small study from two public-domain portraits."
    )
    parser.add_argument("folder", nargs="?", type=Path, default=Path("recordings"), help="default: %(default)s")
    parser.add_argument("--pairs", action="store_true", help="make conversations, to study pairs of people")
    asked = parser.parse_args()
    if asked.pairs:
        make_talks(asked.folder)
        print(f"{asked.folder}: {2 * TALKS} recordings of {TALKS} conversations, and pairs.csv")
    else:
        make_study(asked.folder)
        print(f"{asked.folder}: {2 * PEOPLE} clips, markers.csv and groups.csv")


if __name__ == "__main__":
    main()
