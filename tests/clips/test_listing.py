import os
from collections.abc import Callable
from pathlib import Path

import pytest

from seehear.clips import list_folder
from seehear.errors import DataError


def test_media_of_a_tree_in_the_order_of_names(tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    for name in ("b.WAV", "a.wav", "train/z.wav", "other/deep/y.wav", ".hidden.wav", ".git/x.wav", "t.lance/x.wav"):
        write_wav(tmp_path / name)
    (tmp_path / "README.md").write_text("text")
    (tmp_path / "noise").write_text("text")
    listing = list_folder(tmp_path)
    assert [(e.name, e.split) for e in listing.entries] == [
        ("a.wav", ""),
        ("b.WAV", ""),
        ("other/deep/y.wav", ""),
        ("train/z.wav", "train"),
    ]
    assert listing.ignored == {"md": 1, "": 1}


def test_names_that_are_not_utf8_become_printable(tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    name = os.fsdecode(b"caf\xe9.wav")
    write_wav(tmp_path / name)
    (entry,) = list_folder(tmp_path).entries
    assert entry.name == "caf\\xe9.wav"
    assert os.path.exists(entry.path)


def test_one_file_is_a_folder_of_one(tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    path = write_wav(tmp_path / "--dashes.wav")
    write_wav(tmp_path / "other.wav")
    assert [e.name for e in list_folder(path).entries] == ["--dashes.wav"]


def test_folders_without_media_say_what_they_hold(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no media \(it is empty\)"):
        list_folder(tmp_path)
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "b.txt").write_text("text")
    with pytest.raises(DataError, match=r"holds no media \(2 txt\); expected files ending in .*mp4"):
        list_folder(tmp_path)
    with pytest.raises(DataError, match="no media file by its name"):
        list_folder(tmp_path / "a.txt")
    with pytest.raises(DataError, match="there is no folder"):
        list_folder(tmp_path / "none")
