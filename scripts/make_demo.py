"""Make static/demo.mp4, the clip that is shown where there is no webcam, from two public-domain photographs.

A virtual camera looks at two portraits that float over a quiet background: at both, at one, at the other, and at
both again, where the clip begins anew without a seam.

    python scripts/make_demo.py [FILE]
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFilter, ImageFont

ROOT: Final = Path(__file__).resolve().parent.parent
PHOTOGRAPHS: Final = ROOT / "tests" / "data"

WIDTH, HEIGHT, FPS, SECONDS = 960, 540, 30, 12
DETAIL: Final = 1.5
"""Portraits are drawn this much larger than the wide view shows them, for the camera to come closer."""
CARD: Final = (372, 420)
"""Width and height of a portrait in pixels of the wide view."""
MARGIN: Final = 40
"""Pixels around it for its shadow."""
CAPTION: Final = 46
"""Height of the strip with the name."""

VIEWS: Final = (  # seconds, then where the camera looks, from the scene's centre, and how close
    (0.0, 0, 0, 1.0),
    (1.6, 0, 0, 1.0),
    (3.4, -222, -14, 1.42),
    (5.2, -214, -22, 1.5),
    (7.0, 214, -22, 1.42),
    (8.8, 222, -14, 1.5),
    (10.6, 0, 0, 1.0),
    (12.0, 0, 0, 1.0),
)

Pixels = NDArray[np.float32]
View = tuple[float, float, float]


@dataclass(frozen=True)
class Portrait:
    """A photograph on a card, drifting a little about its place."""

    sprite: Pixels
    """(h, w, 4), 0-1: BGR times alpha, and alpha."""
    x: float
    """Place of its middle, in pixels of the wide view from the scene's centre."""
    phase: float
    """Where in its drift it begins, in turns."""

    def transform(self, turn: float, view: View) -> NDArray[np.float64]:
        """Return the 2x3 matrix from the sprite to the picture, `turn` (0-1) through the clip."""
        look_x, look_y, zoom = view
        x = (self.x + 6 * wave(turn + self.phase + 0.3) - look_x) * zoom + WIDTH / 2
        y = (8 * wave(2 * turn + self.phase) - look_y) * zoom + HEIGHT / 2
        angle = np.deg2rad(1.6) * wave(turn + self.phase)
        turned = zoom / DETAIL * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        middle = np.array(self.sprite.shape[1::-1]) / 2
        return np.column_stack([turned, (x, y) - turned @ middle])


def wave(turns: float) -> float:
    """Return a swing between -1 and 1 that repeats with each whole turn."""
    return float(np.sin(2 * np.pi * turns))


def view_at(seconds: float) -> View:
    """Return where the camera looks and how close; it starts and stops gently (Perlin's smootherstep)."""
    step = max(i for i, view in enumerate(VIEWS[:-1]) if view[0] <= seconds)
    (begin, *start), (end, *goal) = VIEWS[step : step + 2]
    part = (seconds - begin) / (end - begin)
    part = part**3 * (part * (6 * part - 15) + 10)
    x, y, zoom = np.array(start) + part * np.subtract(goal, start)
    return float(x), float(y), float(zoom)


def make_portrait(photograph: Path, crop: tuple[int, int, int, int], name: str, x: float, phase: float) -> Portrait:
    """Return part of a photograph (left, top, right, bottom) as a card with a caption, round corners and a shadow."""
    width, height = (round(side * DETAIL) for side in CARD)
    caption, margin = round(CAPTION * DETAIL), round(MARGIN * DETAIL)
    card = PillowImage.new("RGB", (width, height), (243, 244, 246))
    photo = PillowImage.open(photograph).convert("RGB")
    card.paste(photo.resize((width, height - caption), PillowImage.Resampling.LANCZOS, box=crop))
    font = ImageFont.load_default(round(17 * DETAIL))
    ImageDraw.Draw(card).text((width / 2, height - caption / 2), name, (38, 44, 56), font, anchor="mm")

    outline = PillowImage.new("L", (width + 2 * margin, height + 2 * margin))
    corners = (margin, margin, margin + width - 1, margin + height - 1)
    ImageDraw.Draw(outline).rounded_rectangle(corners, radius=round(16 * DETAIL), fill=255)
    cover = np.asarray(outline.filter(ImageFilter.GaussianBlur(0.7)), np.float32)[..., None] / 255
    shadow = np.asarray(outline.filter(ImageFilter.GaussianBlur(margin / 3)), np.float32)[..., None] / 255
    shadow = 0.55 * np.roll(shadow, margin // 4, axis=0) * (1 - cover)
    colour = np.pad(np.asarray(card, np.float32)[..., ::-1] / 255, ((margin, margin), (margin, margin), (0, 0)))
    return Portrait(np.concatenate([colour * cover, cover + shadow], axis=2), x, phase)


def make_background() -> Pixels:
    """Return the backdrop, (HEIGHT, WIDTH, 3) BGR, 0-1: light from above that falls off to the edges."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    distance = np.hypot((columns - WIDTH / 2) / WIDTH, (rows - 0.35 * HEIGHT) / HEIGHT)[..., None]
    light = np.exp(-((distance / 0.55) ** 2))
    edge, middle = np.array([0.23, 0.15, 0.11]), np.array([0.52, 0.40, 0.31])
    grain = np.random.default_rng(7).normal(0, 0.004, (HEIGHT, WIDTH, 1))  # keeps the codec from drawing rings
    return (edge + light * (middle - edge) + grain).astype(np.float32)


def pictures() -> Iterator[NDArray[np.uint8]]:
    """Yield the clip's frames, (HEIGHT, WIDTH, 3) uint8 BGR."""
    background = make_background()
    portraits = (
        make_portrait(PHOTOGRAPHS / "astronaut.png", (105, 10, 345, 251), "Eileen Collins, NASA", -218, 0.0),
        make_portrait(PHOTOGRAPHS / "grace_hopper.jpg", (46, 20, 486, 462), "Grace Hopper, US Navy", 218, 0.45),
    )
    for index in range(FPS * SECONDS):
        picture, turn, view = background, index / (FPS * SECONDS), view_at(index / FPS)
        for portrait in portraits:
            layer = cv2.warpAffine(portrait.sprite, portrait.transform(turn, view), (WIDTH, HEIGHT))
            picture = layer[..., :3] + picture * (1 - layer[..., 3:])
        yield np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def write_clip(path: Path) -> None:
    """Write the clip as H.264 that every browser and OpenCV can read."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "22", "preset": "slow"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in pictures():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))


def main() -> None:
    """Write the clip where the command line says."""
    parser = argparse.ArgumentParser(description="Make the demo clip from two public-domain photographs.")
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "static" / "demo.mp4", help="where to write it")
    path = parser.parse_args().file
    write_clip(path)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
