"""What a run looks at: files, folders, patterns, lists and addresses; each once, with a name of its own."""

import functools
import io
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest

from analysis.batch.inputs import Source, find_files, sha256, unique_names
from errors import SourceError


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of files as they lie about, which is also the current one."""
    for name in ("b/2.mp4", "b/1.MOV", "a.jpg", "notes.txt", ".hidden.mp4", ".git/x.png", "out/annotated.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(tree: Path, *inputs: str, stdin: str = "") -> list[str]:
    """Return what inputs stand for, relative to the folder."""
    return [str(Path(path).relative_to(tree)) for path in find_files(inputs, io.StringIO(stdin), Path("out"))]


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
    addresses = find_files([memory], io.StringIO(), tmp_path)
    assert addresses == ["memory:///study/p1/a.mp4", "memory:///study/p2/b.jpg"]
    assert find_files([f"{memory}/*/*.txt"], io.StringIO(), tmp_path) == ["memory:///study/p2/c.txt"]
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
    (address,) = find_files([f"{web}/b/2.mp4"], io.StringIO(), tree)
    assert unique_names([address], {}) == ["2.mp4"]
    with Source(address, "2.mp4").fetched() as path:
        assert sha256(path) == sha256(tree / "b" / "2.mp4")
    with pytest.raises(SourceError, match="no such file"), Source(f"{web}/none.mp4", "none.mp4").fetched():
        pass


def test_a_scheme_that_is_not_known_is_said(tmp_path: Path) -> None:
    """The message is in words."""
    with pytest.raises(SourceError, match="cannot be fetched"):
        find_files(["nowhere://a.mp4"], io.StringIO(), tmp_path)
