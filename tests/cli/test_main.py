"""The frame of the command line: usage mistakes, JSON, help, exit statuses. T30: nothing starts on a bad command."""

import importlib
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seehear import __version__, cli
from seehear.cli import VERBS, main
from seehear.cli.console import Console
from seehear.cli.failure import guard
from seehear.errors import (
    DataError,
    DivergedError,
    LostPeerError,
    MediaError,
    RequeueError,
    SkipReason,
    StorageError,
    UsageError,
)

NEAREST = [
    (["pak"], "try: pack"),
    (["wrld", "out"], "try: world"),
    (["doktor"], "try: doctor"),
    (["--versoin"], "unknown verb '--versoin'"),
    (["pack", "in", "out", "--clip-secods", "3"], "--clip-seconds"),
    (["pack", "in", "out", "--hopp", "3"], "--hop"),
    (["pack", "in", "out", "--keep-vidoe"], "--keep-video"),
    (["pack", "in", "out", "--max-clip-per-file", "3"], "--max-clips-per-file"),
    (["pack", "in", "out", "--overwite"], "--overwrite"),
    (["world", "out", "--sed", "3"], "--seed"),
    (["world", "out", "--worker", "3"], "--workers"),
    (["doctor", "in", "--wrkers", "3"], "--workers"),
]
WRONG = [
    ([], "no verb is named"),
    (["pack"], "missing: FOLDER the folder of media, or one file; TABLE the table to write"),
    (["pack", "in"], "missing: TABLE the table to write"),
    (["pack", "in", "out", "more"], "more"),
    (["pack", "in", "out", "--clip-seconds", "long"], "--clip-seconds: could not convert string to float: 'long'"),
    (["pack", "in", "out", "--clip-seconds"], "--clip-seconds"),
    (["pack", "in", "out", "--frames", "2.5"], "--frames"),
    (["pack", "in", "out", "--workers", "two"], "--workers"),
    (["pack", "in", "out", "--modality", "smell"], "'smell'"),
    (["pack", "in", "out", "--audio-codec", "mp3"], "'mp3'"),
    (["world"], "missing: OUT the folder to write"),
    (["world", "out", "--seed", "x"], "--seed"),
]


@pytest.mark.parametrize(("words", "says"), NEAREST + WRONG)
@pytest.mark.parametrize("machine", [False, True])
def test_a_usage_mistake_is_one_line_and_status_2(
    words: list[str], says: str, machine: bool, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*words, "--json"] if machine else words) == 2
    said = capsys.readouterr()
    assert said.err.startswith("seehear: ")
    assert said.err.count("\n") == 1
    assert says.lower() in said.err.lower()
    assert "╭" not in said.err
    if machine:
        error = json.loads(said.out)["error"]
        assert (error["kind"], error["exit_status"]) == ("UsageError", 2)
        assert f"seehear: {error['message']}\n" == said.err
    else:
        assert said.out == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_shows_examples_that_parse(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb, "--help"]) == 0
    said = capsys.readouterr().out
    module = importlib.import_module(f"seehear.cli.{verb}")
    assert module.EXAMPLES
    for example in module.EXAMPLES:
        assert example in said
        words = shlex.split(example)
        assert words[words.index("seehear") + 1] == verb


def test_the_help_lists_every_verb_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    for verb, summary in VERBS.items():
        assert f"{verb} " in said
        assert summary in said
    files = {path.stem for path in Path(str(cli.__file__)).parent.glob("*.py")}
    assert set(VERBS) <= files


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert main(["--version", "--json"]) == 0
    assert capsys.readouterr().out == f'seehear {__version__}\n{{\n  "version": "{__version__}"\n}}\n'


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("a"), 2),
        (DataError("a"), 3),
        (MediaError(SkipReason.EMPTY, "0 bytes", path="a.mp4"), 3),
        (DivergedError("a"), 4),
        (StorageError("a"), 5),
        (LostPeerError("a"), 6),
        (RequeueError("a"), 75),
        (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device"), 5),
        (PermissionError(13, "Permission denied", "runs"), 5),
        (FileNotFoundError(2, "No such file or directory", "a/b"), 2),
        (NotADirectoryError(20, "Not a directory", "a/b"), 2),
    ],
)
def test_each_failure_has_its_status_and_no_trace(
    error: BaseException, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    assert guard(fail, Console()) == status
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err


def test_a_media_error_tells_machines_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise MediaError(SkipReason.EMPTY, "0 bytes", path="a\nb.mp4", cure="copy it again")

    assert guard(fail, Console(machine=True)) == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["reason"], error["path"], error["cure"]) == ("empty file", "a\nb.mp4", "copy it again")
    assert error["message"].startswith("a b.mp4: empty file (0 bytes)")


@pytest.mark.parametrize("machine", [False, True])
def test_a_bug_keeps_its_trace_and_says_so(machine: bool, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ZeroDivisionError("a step of nothing")

    with pytest.raises(ZeroDivisionError) as caught:
        guard(fail, Console(machine=machine))
    assert "This is a bug in seehear" in caught.value.__notes__[0]
    out = capsys.readouterr().out
    assert (json.loads(out)["error"]["kind"] == "bug") if machine else out == ""


def run(*words: str, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "seehear", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_a_process_ends_with_the_status() -> None:
    assert run("pak").returncode == 2
    assert run("--help").returncode == 0


def test_a_reader_that_goes_away_is_no_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-m", "seehear", "--help"], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_ctrl_c_ends_with_130() -> None:
    code = "import time\nfrom seehear.cli import *\nfrom seehear.cli import guard, Console\nimport sys\n"
    code += "def wait():\n    print('ready', flush=True)\n    time.sleep(60)\nsys.exit(guard(wait, Console()))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, b"stopped by Ctrl-C\n")
