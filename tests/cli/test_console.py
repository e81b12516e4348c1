"""What people and machines get to read."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seehear.cli import progress
from seehear.cli.console import Console, one_line, plain
from seehear.cli.progress import duration, progress_line
from seehear.contracts import Figure

FIGURES = [
    Figure("retrieval/R@10", 0.25, 0.05, 0.06, 0.4, {"mean colour": 0.11}, note="5 galleries of 200", lower_bound=0.2),
    Figure("reconstruction/error", 0.8, None, 1.2, None, higher_is_better=False),
    Figure("class agreement", 0.5, 0.0),
]


@dataclass
class Thing:
    path: Path
    values: tuple[float, ...]


def test_the_document_of_machines_is_strict_json(capsys: pytest.CaptureFixture[str]) -> None:
    value = {
        "thing": Thing(Path("a/b"), (1.0, float("nan"), float("-inf"))),
        3: {2},
        "array": np.arange(3),
        "scalar": np.float32(0.5),
        "tensor": torch.ones(2, dtype=torch.int64),
        "flag": True,
        "none": None,
        "type": int,
    }
    Console(machine=True).document(value)
    assert json.loads(capsys.readouterr().out) == {
        "thing": {"path": "a/b", "values": [1.0, None, None]},
        "3": [2],
        "array": [0, 1, 2],
        "scalar": 0.5,
        "tensor": [1, 1],
        "flag": True,
        "none": None,
        "type": "<class 'int'>",
    }


def test_a_document_is_for_machines_only_and_the_rest_for_people_only(capsys: pytest.CaptureFixture[str]) -> None:
    Console().document({"a": 1})
    machine = Console(machine=True)
    machine.line("hello")
    machine.table("title", ["a"], [[1]])
    machine.figures("title", FIGURES)
    assert capsys.readouterr().out == ""


def test_a_plain_table_lines_up(capsys: pytest.CaptureFixture[str]) -> None:
    Console().table("files", ["name", "seconds", "sound"], [["a.mp4", 9.94, True], ["long name.wav", 10.0, None]])
    assert capsys.readouterr().out.splitlines() == [
        "files",
        "  name           seconds  sound",
        "  a.mp4             9.94  yes",
        "  long name.wav       10",
    ]


def test_figures_stand_beside_their_floors_and_ceilings(capsys: pytest.CaptureFixture[str]) -> None:
    Console().figures("figures", FIGURES)
    header, *rows = capsys.readouterr().out.splitlines()[1:]
    assert " ".join(header.split()) == "figure value x chance chance untrained ceiling other floors protocol"
    assert "0.25 (95 %: 0.2 up) 5.0x" in " ".join(rows[0].split())
    for cell in ("0.05", "0.06", "0.4", "mean colour 0.11", "5 galleries of 200"):
        assert cell in rows[0]
    assert "x" not in rows[1].replace("retrieval", "")  # no chance, no ratio
    assert "inf" not in rows[2]


def test_columns_without_a_value_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    Console().figures("figures", [Figure("a", 1.0)])
    assert capsys.readouterr().out.splitlines()[1].split() == ["figure", "value"]


def test_a_terminal_gets_a_rich_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    Console().table("files", ["name", "seconds"], [["[red]a.mp4", 9.94]])
    said = capsys.readouterr().out
    assert "[red]a.mp4" in said  # names are no markup
    assert "─" in said


@given(st.text())
def test_any_text_becomes_one_printable_line(message: str) -> None:
    line = one_line(message)
    assert len((line + "x").splitlines()) == 1
    assert all(c.isprintable() or 0xD800 <= ord(c) < 0xE000 for c in line)
    assert one_line(line) == line


def test_a_hostile_name_cannot_speak_to_the_terminal() -> None:
    assert one_line("\x1b[31ma\nb\u202e.mp4") == "\\x1b[31ma b\\u202e.mp4"


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda s: st.lists(s) | st.tuples(s, s)))
def test_whatever_is_nested_is_strict_json(value: object) -> None:
    json.dumps(plain(value), allow_nan=False)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (8.4, "8 s"), (59.7, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations_are_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("packing", 30, 120, "clips", 3.0), "packing: 30/120 clips, 10 clips/s, 9 s left"),
        (("packing", 120, 120, "clips", 3.0, "2 skipped"), "packing: 120/120 clips, 40 clips/s, 3 s, 2 skipped"),
        (("packing", 0, 120, "clips", 3.0), "packing: 0/120 clips"),
        (("packing", 7, None, "files", 2.0), "packing: 7 files, 3.5 files/s, 2 s"),
    ],
)
def test_a_progress_line_says_how_far_how_quick_how_long(arguments: tuple, line: str) -> None:
    assert progress_line(*arguments) == line


def test_without_a_terminal_progress_is_now_and_then_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    with Console().progress("packing", 100) as bar:
        for done in range(1, 101):
            bar(done)
    said = capsys.readouterr()
    lines = said.err.splitlines()
    assert said.out == ""
    assert 10 < len(lines) < 30
    assert lines[-1].startswith("packing: 100/100 clips")


def test_progress_that_never_began_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().progress("packing"):
        pass
    assert capsys.readouterr().err == ""


def test_on_a_terminal_progress_moves_in_place(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Console().progress("packing") as bar:
        bar(1, 2, "[one]")
        bar(2)
    said = capsys.readouterr().err
    assert "packing: 2/2 clips" in said


def test_what_was_done_before_counts_for_neither_rate_nor_time_left() -> None:
    assert progress_line("run", 50, 100, "steps", 10.0, "", 40) == "run: 50/100 steps, 1 steps/s, 50 s left"
    assert progress_line("run", 40, 100, "steps", 10.0, "", 40) == "run: 40/100 steps"
