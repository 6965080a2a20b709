"""What a run looks at: files, folders, patterns, lists and addresses; each once, with a name of its own."""

import functools
import io
import os
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import fsspec
import numpy as np
import pytest

from analysis.batch.inputs import Found, Source, find_files, sha256, unique_names
from errors import SourceError
from tests.helpers.footage import make_video


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of files as they lie about, which is also the current one."""
    for name in ("b/2.mp4", "b/1.MOV", "a.jpg", "notes.txt", ".hidden.mp4", ".git/x.png", "out/annotated.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def search(tree: Path, *inputs: str, stdin: str = "") -> Found:
    """Return what inputs stand for, and what is left out."""
    return find_files(inputs, io.StringIO(stdin), tree / "out")


def found(tree: Path, *inputs: str, stdin: str = "") -> list[str]:
    """Return what inputs stand for, relative to the folder."""
    return [str(Path(path).relative_to(tree)) for path in search(tree, *inputs, stdin=stdin).files]


def test_a_folder_is_searched_for_videos_and_pictures(tree: Path) -> None:
    """With all folders in it, but for hidden ones and that of the results."""
    assert found(tree, ".") == ["a.jpg", "b/1.MOV", "b/2.mp4"]


def test_patterns(tree: Path) -> None:
    """A pattern may go through folders; one that finds nothing is an error."""
    assert found(tree, "b/*.mp4") == ["b/2.mp4"]
    assert found(tree, "**/*.mp4") == ["b/2.mp4", "out/annotated.mp4"]
    with pytest.raises(SourceError, match="no such file"):
        found(tree, "*.mkv")


def test_lists(tree: Path) -> None:
    """A path a line, in a file or on standard input; comments and empty lines do not count."""
    (tree / "list.txt").write_text("# first day\nb/2.mp4\n\n a.jpg \n", encoding="utf-8")
    assert found(tree, "@list.txt") == ["b/2.mp4", "a.jpg"]
    assert found(tree, "-", stdin="b\n") == ["b/1.MOV", "b/2.mp4"]
    with pytest.raises(SourceError, match="list cannot be read"):
        found(tree, "@none.txt")


def test_each_file_once(tree: Path) -> None:
    """However often it is named."""
    assert found(tree, "b/2.mp4", "b", "./b/../b/2.mp4") == ["b/2.mp4", "b/1.MOV"]


def test_a_file_that_is_named_is_taken_whatever_it_is(tree: Path) -> None:
    """What it is tells its content; that it is not there is told with the others that fail."""
    assert found(tree, "notes.txt", "none.mp4") == ["notes.txt", "none.mp4"]


def test_what_a_folder_has_is_told_by_its_content(tree: Path) -> None:
    """Videos and pictures of any ending or none are taken; all else is named, with the reason."""
    for name in ("tape.MOD", "disc.VOB", "clip"):
        make_video(tree / "plain.ts").rename(tree / name)
    cv2.imwrite(str(tree / "face.jpg"), np.zeros((8, 8, 3), np.uint8))
    (tree / "face.jpg").rename(tree / "face.jfif")
    make_video(tree / "plain.mp4").rename(tree / "GX01.LRV")
    (tree / "poster.pdf").write_bytes(b"%PDF-1.7")
    (tree / "plan.csv").write_text("P1 ,x\n")
    told = search(tree, ".")
    assert [Path(path).name for path in told.files] == [
        "a.jpg",
        "clip",
        "disc.VOB",
        "face.jfif",
        "tape.MOD",
        "1.MOV",
        "2.mp4",
    ]
    assert {Path(path).name: why for path, why in told.left_out.items()} == {
        "GX01.LRV": "a camera's small copy of a video",
        "notes.txt": "neither a picture nor a video",
        "plan.csv": "neither a picture nor a video",
        "poster.pdf": "a picture of a kind that cannot be read here (PDF)",
    }
    assert "notes.txt" not in str(search(tree, ".", "notes.txt").left_out), "it is named"


@pytest.mark.skipif(sys.platform == "win32", reason="making links needs a permission there")
def test_linked_folders_are_followed_once(tree: Path) -> None:
    """Those that lead elsewhere, and not those that lead back or to what was there already."""
    (tree / "disk" / "day").mkdir(parents=True)
    (tree / "disk" / "day" / "3.mp4").touch()
    (tree / "study").mkdir()
    for name, target in (("one", "disk/day"), ("two", "disk/day"), ("round", "study")):
        (tree / "study" / name).symlink_to(tree / target, target_is_directory=True)
    assert found(tree, "study") == ["study/one/3.mp4"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_lists_in_the_encodings_of_editors(tree: Path, encoding: str) -> None:
    """Notepad and PowerShell write UTF-16 or a mark in front; old programs Windows-1252."""
    (tree / "list.txt").write_bytes("b/2.mp4\r\nGrüße.mp4\r\n".encode(encoding))
    assert found(tree, "@list.txt") == ["b/2.mp4", "Grüße.mp4"]
    assert found(tree, "-", stdin="\ufeffb/2.mp4\n") == ["b/2.mp4"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_list_may_name_files_in_any_bytes(tree: Path) -> None:
    """As `ls` writes them."""
    name = os.fsdecode(b"caf\xe9.mp4")
    (tree / name).touch()
    (tree / "list.txt").write_bytes(os.fsencode(name))
    assert found(tree, "@list.txt") == [name]


def test_a_recording_whose_name_looks_like_a_list(tree: Path) -> None:
    """It is a recording if it is there."""
    (tree / "@x.mp4").touch()
    assert found(tree, "@x.mp4") == ["@x.mp4"]


def test_an_empty_folder_is_an_error(tree: Path) -> None:
    """Nothing to do is probably not what was meant."""
    (tree / "empty").mkdir()
    with pytest.raises(SourceError, match="empty: there is no video or picture in it"):
        found(tree, "empty")


def test_names_are_as_short_as_can_be() -> None:
    """Two files called alike are told apart by their folders; a name that is known stays."""
    paths = ["/s/p1/talk.mp4", "/s/p2/talk.mp4", "/s/p2/smile.mp4"]
    assert unique_names(paths, {}) == ["p1/talk.mp4", "p2/talk.mp4", "smile.mp4"]
    assert unique_names(paths[1:], {"/s/p1/talk.mp4": "talk.mp4"}) == ["p2/talk.mp4", "smile.mp4"]
    assert unique_names(paths[:2], {"/s/p1/talk.mp4": "talk.mp4"}) == ["talk.mp4", "p2/talk.mp4"]


@pytest.fixture
def memory() -> Iterator[str]:
    """Return the address of a folder in memory."""
    system = fsspec.filesystem("memory")
    system.pipe("/study/p1/a.mp4", b"first")
    system.pipe("/study/p2/b.jpg", b"second")
    system.pipe("/study/p2/c.txt", b"third")
    yield "memory://study"
    system.rm("/study", recursive=True)


def test_addresses(memory: str, tmp_path: Path) -> None:
    """Folders and patterns at an address are searched, too, and files fetched for as long as they are needed."""
    addresses = find_files([memory], io.StringIO(), tmp_path).files
    assert addresses == ["memory:///study/p1/a.mp4", "memory:///study/p2/b.jpg"]
    assert find_files([f"{memory}/*/*.txt"], io.StringIO(), tmp_path).files == ["memory:///study/p2/c.txt"]
    source = Source(addresses[0], "a.mp4")
    assert "size=5" in source.stamp()
    with source.fetched() as path:
        assert path.read_bytes() == b"first"
        assert path.suffix == ".mp4"
    assert not path.exists()


@pytest.fixture
def web(tree: Path) -> Iterator[str]:
    """Return the address of a server on loopback that serves the folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tree)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_web_address(web: str, tree: Path) -> None:
    """A file behind http is fetched; one that is not there is an error in words."""
    (address,) = find_files([f"{web}/b/2.mp4"], io.StringIO(), tree).files
    assert unique_names([address], {}) == ["2.mp4"]
    with Source(address, "2.mp4").fetched() as path:
        assert sha256(path) == sha256(tree / "b" / "2.mp4")
    with pytest.raises(SourceError, match="no such file"), Source(f"{web}/none.mp4", "none.mp4").fetched():
        pass


def test_a_scheme_that_is_not_known_is_said(tmp_path: Path) -> None:
    """The message is in words."""
    with pytest.raises(SourceError, match="cannot be fetched"):
        find_files(["nowhere://a.mp4"], io.StringIO(), tmp_path)
