"""The verbs under `seehear world`, as a person and as a machine meet them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from seehear.cli import main
from seehear.cli.world import VERBS
from seehear.world.interventions import INTERVENTIONS
from seehear.world.painting.styles import STYLES
from seehear.world.tracks import TRACKS
from tests.cli.calls import failure, machine, people


@pytest.fixture(scope="module")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "unit"
    assert main(["world", str(folder), "--preset", "unit", "--clips", "32", "--workers", "1", "--level", "1"]) == 0
    return folder


# --------------------------------------------------------------------------------------------------------- the frame
def test_the_help_of_world_names_its_verbs_styles_and_interventions(capsys: pytest.CaptureFixture[str]) -> None:
    said = people(capsys, "world", "--help")
    tracks = [f"{letter} ({track.name})" for letter, track in TRACKS.items()]
    plain = " ".join(said.replace("│", " ").split())
    assert [name for name in (*VERBS, *STYLES, *INTERVENTIONS, *tracks) if name not in plain] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_examples_of_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = people(capsys, "world", verb, "--help")
    assert said.count(f"seehear world {verb}") >= 2
    assert "examples:" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--style", "skech"), "try: sketch"),
        (("--intervention", "swop"), "try: swap"),
        (("--track", "a"), "unknown track 'a'"),
        (("--labelling", "mutli"), "--labelling"),
        (("--arrays", "maks"), "try: masks"),
        (("--ambiguous", "0.9"), "0 to 0.5"),
        (("--long-tail", "0.5"), "at least 1"),
        (("--removed-labels", "0.2"), "try: --parent-labels"),
    ],
)
def test_impossible_choices_are_refused_before_anything_is_made(
    words: tuple[str, ...], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, line = failure(capsys, "world", tmp_path / "out", *words)
    assert status == 2
    assert says in line
    assert not list(tmp_path.iterdir())


def test_a_folder_called_like_a_verb_is_written_with_a_dot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--preset", "unit", "--clips", 32, "--workers", 1, "--style", "night", "--intervention", "grey")
    report = machine(capsys, "world", "./show", *words)
    assert (report["root"], report["clips"]) == ("show", 32)
    preset = report["datasheet"]["preset"]
    assert (preset["style"], preset["intervention"]) == ("night", "grey")
    assert len(list(Path("show").glob("*/clips/*.mp4"))) == 32


# -------------------------------------------------------------------------------------------------------------- show
def test_a_clip_of_a_world_is_shown_by_its_file_and_by_its_id(
    small_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    clip = sorted(small_world.glob("test/clips/*.mp4"))[3]
    record = json.loads((small_world / "test" / "manifest.jsonl").read_text().splitlines()[3])
    shown = machine(capsys, "world", "show", clip)
    assert (shown["id"], shown["sheet"]) == (clip.stem, f"{clip.stem}.png")
    assert shown["truth"] == record["truth"]
    named = machine(capsys, "world", "show", small_world, clip.stem, "--out", "named.png")
    assert Path(named["sheet"]).read_bytes() == (tmp_path / shown["sheet"]).read_bytes()
    assert Path(shown["sheet"]).read_bytes().startswith(b"\x89PNG")


def test_a_clip_is_shown_without_any_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sheet.png"
    words = ("--preset", "unit", "--split", "val", "--index", 2, "--level", 2, "--intervention", "mute", "--out", out)
    said = people(capsys, "world", "show", *words)
    assert "labels: drum" in said
    assert "intervention: mute" in said
    assert said.rstrip().endswith(f"contact sheet: {out}")
    assert out.is_file()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "no clip is named"),
        (("WORLD", "--preset", "unit"), "a file and --preset"),
        (("WORLD", "test-A1-0-000099"), "has no clip 'test-A1-0-000099'"),
        (("WORLD", "test-A0-0-000001"), "try: test-A1-0-000001"),
        (("WORLD", "bell"), "has no clip 'bell'"),
        (("--preset", "unti"), "try: unit"),
        (("--preset", "unit", "--split", "tset"), "try: test"),
        (("--preset", "unit", "--index", "-1"), "index -1"),
        (("nowhere/test/clips/x.mp4",), "nowhere holds no built world"),
    ],
)
def test_a_clip_that_cannot_be_shown_is_named(
    words: tuple[str, ...], says: str, small_world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, line = failure(capsys, "world", "show", *(small_world if word == "WORLD" else word for word in words))
    assert status == 2
    assert says in line


def test_a_world_of_another_version_is_not_shown(
    tmp_path: Path, small_world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = json.loads((small_world / "DATASHEET.json").read_text())
    (tmp_path / "DATASHEET.json").write_text(json.dumps(sheet | {"world_version": 0}))
    status, line = failure(capsys, "world", "show", tmp_path, "test-A1-0-000001")
    assert status == 5
    assert "holds world version 0" in line


# ------------------------------------------------------------------------------------------------------------ export
def test_a_world_is_exported_and_the_files_are_named(
    small_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = machine(capsys, "world", "export", small_world, tmp_path / "out", "--format", "audioset")
    assert [Path(path).is_file() for path in found["files"]] == [True] * 4
    said = people(capsys, "world", "export", small_world, tmp_path / "out", "--format", "audioset")
    assert said.splitlines() == found["files"]


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("WORLD", "out", "--format", "audiost"), 2, "try: audioset"),
        (("WORLD", "out"), 2, "--format"),
        (("nowhere", "out", "--format", "vggss"), 5, "nowhere"),
    ],
)
def test_an_impossible_export_is_refused(
    words: tuple[str, ...], status: int, says: str, small_world: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    found, line = failure(capsys, "world", "export", *(small_world if word == "WORLD" else word for word in words))
    assert found == status
    assert says in line
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------------------------------------------------- audit
def test_a_finished_world_is_audited(small_world: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = machine(capsys, "world", "audit", small_world)
    assert (found["clips"], found["checks"]["status"], found["audit"]["status"]) == (32, "passed", "not audited")
    assert found["fingerprint"] == json.loads((small_world / "DATASHEET.json").read_text())["fingerprint"]
    said = people(capsys, "world", "audit", small_world)
    assert "32 clips in" in said
    assert "checks: passed" in said
    assert "shortcut audit: not audited (32 clips" in said


def test_a_world_that_was_changed_fails_its_audit(
    small_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(small_world, tmp_path / "changed")
    next((tmp_path / "changed" / "test" / "clips").iterdir()).write_bytes(b"not a clip")
    status, line = failure(capsys, "world", "audit", tmp_path / "changed")
    assert status == 3
    assert "files: a file of test-A1-0-" in line
    status, line = failure(capsys, "world", "audit", tmp_path)
    assert status == 5
    assert "holds no world" in line


@pytest.mark.parametrize("reached", [0.95, 0.5])
def test_references_are_held_against_the_ceilings(
    reached: float, small_world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {"ceiling": 0.8, "accuracy": 0.8 * reached, "share": reached, "passed": reached >= 0.9}
    told = {"passed": reached >= 0.9, "share_asked": 0.9, "modalities": {"sound": own}}
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr("seehear.runs.ceilings.ceilings", lambda root, **given: asked.append(given) or told)
    status = main(["world", "audit", str(small_world), "--ceilings", "--minutes", "3"])
    said = capsys.readouterr()
    assert status == (0 if reached >= 0.9 else 3)
    assert asked[0]["minutes"] == 3
    assert "share (90% is asked)" in said.out
    assert ("too little of their ceilings: sound 0.50" in said.err) == (reached < 0.9)
