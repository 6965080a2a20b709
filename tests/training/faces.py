"""A small dataset of drawn faces, in FER2013's and FER+'s formats."""

from pathlib import Path

import numpy as np


def synthetic_faces(folder: Path) -> tuple[Path, Path]:
    """Write drawings of two expressions, smiling and not, as Kaggle's CSV and FER+'s votes; return both paths."""
    rng, rows, votes = np.random.default_rng(0), list[str](), list[str]()
    for usage, count in (("Training", 48), ("PublicTest", 16), ("PrivateTest", 8)):
        for index in range(count):
            happy = index % 2 == 0
            face = rng.normal(120, 10, (48, 48))
            face[16:20, 12:18] = face[16:20, 30:36] = 20
            face[32:36, 12:36] = 250 if happy else 30
            pixels = " ".join(map(str, face.clip(0, 255).astype(int).ravel()))
            rows.append(f"{3 if happy else 6},{pixels},{usage}")
            votes.append(f"{usage},fer{len(votes):07}.png,{0 if happy else 9},{9 if happy else 0},1,0,0,0,0,0,0,0")
    data, votes_path = folder / "fer2013.csv", folder / "fer2013new.csv"
    data.write_text("\n".join(["emotion,pixels,Usage", *rows]))
    header = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    votes_path.write_text("\n".join([header, *votes]))
    return data, votes_path
