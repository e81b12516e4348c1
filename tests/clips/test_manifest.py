import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from seehear.clips import manifest as manifests
from seehear.clips.listing import list_folder
from seehear.errors import DataError, StorageError, UsageError

ROWS: list[dict[str, Any]] = [
    {"file": "a.wav", "id": "first", "split": "train", "labels": ["dog", "bark"], "caption": "a dog, barking"},
    {"file": "sub/b.wav", "start_seconds": 1.5, "end_seconds": 4.0, "truth": {"box": [0, 1]}, "seed": 7},
    {"file": "a.wav", "start_seconds": 2, "duration_seconds": 3.0, "label": "dog"},
]


def write_csv(path: Path) -> None:
    rows = [{k: "; ".join(v) if isinstance(v, list) else v for k, v in row.items()} for row in ROWS]
    for row in rows:
        if "truth" in row:
            row["truth"] = json.dumps(row["truth"])
    with open(path, "w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, sorted({key for row in rows for key in row}))
        writer.writeheader()
        writer.writerows(rows)


def write_jsonl(path: Path) -> None:
    path.write_text("\n\n".join(map(json.dumps, ROWS)))


def write_parquet(path: Path) -> None:
    rows = [row | {"truth": json.dumps(row["truth"])} if "truth" in row else row for row in ROWS]
    columns = {key: [row.get(key) for row in rows] for key in sorted({key for row in rows for key in row})}
    parquet.write_table(pa.table(columns), path)


KINDS = {"manifest.csv": write_csv, "manifest.jsonl": write_jsonl, "manifest.parquet": write_parquet}


@pytest.mark.parametrize("name", KINDS)
def test_all_kinds_say_the_same(name: str, tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    write_wav(tmp_path / "a.wav")
    write_wav(tmp_path / "sub" / "b.wav")
    KINDS[name](tmp_path / name)
    first, second, third = list_folder(tmp_path).entries
    assert (first.name, first.id, first.split, first.caption) == ("a.wav", "first", "train", "a dog, barking")
    assert (first.labels, first.start_seconds, first.duration_seconds) == (("dog", "bark"), None, None)
    assert (second.name, second.id, second.labels) == ("sub/b.wav", "", ())
    assert (second.start_seconds, second.duration_seconds) == (1.5, 2.5)
    assert second.truth["box"] == [0, 1]
    assert float(second.truth["seed"]) == 7
    assert (third.start_seconds, third.duration_seconds, third.labels) == (2.0, 3.0, ("dog",))


def read_line(tmp_path: Path, line: str) -> manifests.Entry:
    (tmp_path / "manifest.jsonl").write_text(line)
    return manifests.read(tmp_path / "manifest.jsonl", tmp_path)[0]


@pytest.mark.parametrize("column", ["file", "path", "filename", "video", "File", " PATH "])
def test_columns_that_name_the_file(tmp_path: Path, column: str) -> None:
    assert read_line(tmp_path, json.dumps({column: "x.mp4"})).name == "x.mp4"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a;b", ("a", "b")),
        ("a | b |", ("a", "b")),
        (["b", "a", "b"], ("b", "a")),
        (3, ("3",)),
        ("a, b", ("a, b",)),
        ("", ()),
    ],
)
def test_labels_as_lists_and_text(tmp_path: Path, value: Any, expected: tuple[str, ...]) -> None:
    assert read_line(tmp_path, json.dumps({"file": "x.mp4", "labels": value})).labels == expected


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"clip": "x"}, "columns clip.*names the file"),
        ({"file": "x", "start_seconds": "soon"}, "row 1: start_seconds is 'soon'"),
        ({"file": "x", "end_seconds": "inf"}, "end_seconds"),
        ({"file": "x", "start_seconds": 5, "end_seconds": 4}, "positive length"),
        ({"file": "x", "start_seconds": -1}, "positive length"),
        ({"file": "x", "truth": "{"}, "column truth is not JSON"),
        ({"file": "x", "truth": 5}, "truth is a int"),
        ({"file": "x", "labels": [["a"]]}, "labels are"),
    ],
)
def test_rows_that_cannot_be_understood(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_line(tmp_path, json.dumps(row))


def test_damaged_manifests(tmp_path: Path) -> None:
    for text, message in (("{broken", "line 1 is not JSON"), ("[1]", "line 1 is a list"), ("\n", "no rows")):
        with pytest.raises(DataError, match=message):
            read_line(tmp_path, text)
    wide = tmp_path / "wide.csv"
    wide.write_text("file,caption\nx.mp4,one, two\n")
    with pytest.raises(DataError, match="more fields than"):
        manifests.read(wide, tmp_path)
    (tmp_path / "bytes.csv").write_bytes(b"file\n\xff\xfe\n")
    with pytest.raises(DataError, match="UTF-8"):
        manifests.read(tmp_path / "bytes.csv", tmp_path)
    (tmp_path / "no.parquet").write_text("text")
    with pytest.raises(DataError, match="not a Parquet file"):
        manifests.read(tmp_path / "no.parquet", tmp_path)
    with pytest.raises(UsageError, match=r"kind '\.txt'"):
        manifests.read(tmp_path / "manifest.txt", tmp_path)
    with pytest.raises(StorageError, match="cannot be read"):
        manifests.read(tmp_path / "none.csv", tmp_path)


def test_subfolders_with_manifests_are_splits(tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    for split in ("test", "train"):
        write_wav(tmp_path / split / "clips" / "x.wav")
        (tmp_path / split / "manifest.jsonl").write_text(
            '{"file": "clips/x.wav"}\n{"file": "clips/x.wav", "split": "val"}'
        )
    entries = list_folder(tmp_path).entries
    assert [(entry.name, entry.split) for entry in entries] == [
        ("test/clips/x.wav", "test"),
        ("test/clips/x.wav", "val"),
        ("train/clips/x.wav", "train"),
        ("train/clips/x.wav", "val"),
    ]


def test_missing_files_are_counted_and_others_left_aside(tmp_path: Path, write_wav: Callable[..., Path]) -> None:
    write_wav(tmp_path / "here.wav")
    write_wav(tmp_path / "extra.wav")
    (tmp_path / "manifest.csv").write_text("file\nhere.wav\ngone.wav\nlost.wav\n")
    listing = list_folder(tmp_path)
    assert [entry.name for entry in listing.entries] == ["here.wav"]
    assert [(skip.file, skip.reason) for skip in listing.missing] == [
        ("gone.wav", "unreadable path"),
        ("lost.wav", "unreadable path"),
    ]
    assert listing.ignored == {"wav": 1}
    (tmp_path / "manifest.csv").write_text("file\ngone.wav\n")
    with pytest.raises(DataError, match="none of the 1 files"):
        list_folder(tmp_path)


def test_two_manifests_are_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("file\nx\n")
    (tmp_path / "manifest.jsonl").write_text('{"file": "x"}')
    with pytest.raises(UsageError, match=r"2 manifests.*--manifest"):
        list_folder(tmp_path)


def test_a_given_manifest_finds_files_beside_it_and_in_the_folder(
    tmp_path: Path, write_wav: Callable[..., Path]
) -> None:
    write_wav(tmp_path / "media" / "a.wav")
    write_wav(tmp_path / "lists" / "b.wav")
    (tmp_path / "lists" / "mine.csv").write_text("file\na.wav\nb.wav\n")
    listing = list_folder(tmp_path / "media", tmp_path / "lists" / "mine.csv")
    assert [Path(entry.path).parent.name for entry in listing.entries] == ["media", "lists"]
    assert [entry.split for entry in listing.entries] == ["", ""]  # the folder beside the media is no split
    assert not listing.missing


def test_halves_of_characters_are_kept_readable(tmp_path: Path) -> None:
    entry = read_line(tmp_path, '{"file": "x.mp4", "caption": "half \\ud83d", "labels": ["\\udce9"], "id": "a\\udce9"}')
    assert (entry.caption, entry.labels, entry.id) == ("half \\ud83d", ("\\xe9",), "a\\xe9")
    entry.caption.encode()
