"""Calls of the command line as tests make them: as a machine, as a person, and to fail."""

import json
from typing import Any

import pytest

from seehear.cli import main


def machine(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    """The one JSON document of a command that must succeed."""
    assert main([*map(str, words), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def people(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What a command that must succeed says on stdout."""
    assert main([*map(str, words)]) == 0
    return capsys.readouterr().out


def failure(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    """Exit status and line of a command that must fail; progress lines before it are left out."""
    status = main([*map(str, words)])
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("seehear: ")]
    assert len(lines) == 1
    return status, lines[0]
