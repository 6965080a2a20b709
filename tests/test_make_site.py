"""The static site is written whole, complete and small, or not at all."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from config import ModelSettings, Settings
from scripts.make_site import ICONS, PAGES, WORKER, Site, SiteError, main, write

MAX_BYTES = 7_000_000


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """Return the site's files by their paths."""
    return Site(Settings()).make()


def test_it_is_small(files: dict[str, bytes]) -> None:
    """Everything together has at most 7 MB."""
    assert sum(map(len, files.values())) <= MAX_BYTES


@pytest.mark.parametrize("page", PAGES.values())
def test_pages_name_their_own_files_only(files: dict[str, bytes], page: str) -> None:
    """Addresses are relative and lead to files of the site; the policy comes before all that it is about."""
    text = files[page].decode()
    addresses = {address.partition("#")[0] for address in re.findall(r'(?:src|href|data-example)="([^"]*)"', text)}
    assert addresses - {""} <= files.keys()
    assert text.index("Content-Security-Policy") < text.index("<link")
    assert "/api/" not in text


def test_icons_have_the_sizes_that_the_manifest_tells(files: dict[str, bytes]) -> None:
    """The maskable one has no transparent corner, which a system would fill with a colour of its own."""
    for name, (side, _) in ICONS.items():
        with PIL.Image.open(BytesIO(files[name])) as picture:
            assert picture.size == (side, side)
            assert f'"{name}", "type": "image/png", "sizes": "{side}x{side}"' in files["site.webmanifest"].decode()
            corner = np.asarray(picture.convert("RGBA"))[0, 0]
            assert (corner[3] == 255) == ("maskable" in name)


def test_what_is_kept_is_what_there_is(files: dict[str, bytes]) -> None:
    """The service worker keeps every file but itself."""
    kept = re.findall(r'"url": "([^"]+)"', files[WORKER].decode())
    assert sorted(kept) == sorted(files.keys() - {WORKER})


def test_another_network_has_to_be_made_for_browsers_first(tmp_path: Path) -> None:
    """A site with a network that is not the one in use would be wrong."""
    weights = tmp_path / "other.h5"
    weights.write_bytes(b"other")
    with pytest.raises(SiteError, match=r"training\.quantization"):
        Site(Settings(model=ModelSettings(weights=weights)))


def test_other_folders_are_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is no site is not replaced; a site is, with nothing of the old one left."""
    (tmp_path / "thesis.txt").write_text("the only copy")
    assert main(["--folder", str(tmp_path)]) == 1
    assert "Choose another folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    site = tmp_path / "site"
    write({WORKER: b"", "old.html": b""}, site)
    write({WORKER: b"", "new.html": b""}, site)
    assert sorted(path.name for path in site.iterdir()) == ["new.html", WORKER]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """The error says which and why."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SiteError, match=r"cannot be written"):
        write({WORKER: b""}, tmp_path / "file" / "site")
