"""Files are replaced whole or not at all."""

import os
import threading
from pathlib import Path

import pytest

from protocol.files import write_whole


def test_a_failed_write_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    write_whole(path, b"old")

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    # Of a worker's four folders, any may be on the disk that is full.
    with pytest.raises(OSError, match=rf"No space left on device: '{path}'"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_parents_are_made(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "c", b"x")
    assert (tmp_path / "a" / "b" / "c").read_bytes() == b"x"


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"old")
    (tmp_path / "a").symlink_to(tmp_path / "blob")
    write_whole(tmp_path / "a", b"x")
    assert not (tmp_path / "a").is_symlink()
    assert (tmp_path / "a").read_bytes() == b"x"
    assert (tmp_path / "blob").read_bytes() == b"old"


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_whole(pipe, b"x")
    assert pipe.is_fifo()
    reader.join(10)
    assert read == [b"x"]
    assert list(tmp_path.iterdir()) == [pipe]
