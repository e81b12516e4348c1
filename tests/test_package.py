"""The package as a whole: light to import, free of banned dependencies, complete in what it declares."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import seehear

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src/seehear").rglob("*.py"))
HEAVY = {"torch", "lance", "pyarrow", "av", "PIL", "sklearn", "scipy", "matplotlib", "numpy", "tyro", "rich"}
BANNED = {"torchvision", "torchaudio", "timm", "librosa", "decord"}
MODEL_ROOMS = ("layers", "backbones", "losses", "methods", "metrics", "training")


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after `statement`."""
    code = f"import sys\n{statement}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def imports_of(path: Path) -> set[str]:
    """Top-level names that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def test_importing_seehear_loads_nothing_heavy() -> None:
    assert not loaded_by("import seehear") & HEAVY


def test_the_command_line_starts_without_anything_heavy() -> None:
    assert not loaded_by("from seehear.cli import main; main(['--help'])") & HEAVY


@pytest.mark.parametrize("rooms", [MODEL_ROOMS, ("media", "clips", "world", "reports", "recipes", "tasks", "runs")])
def test_rooms_open_without_media_tables_and_plots(rooms: tuple[str, ...]) -> None:
    statement = "import " + ", ".join(f"seehear.{room}" for room in rooms)
    assert not loaded_by(statement) & {"av", "lance", "pyarrow", "PIL", "sklearn", "matplotlib"}


def test_banned_libraries_are_imported_nowhere() -> None:
    found = {path.name: imports_of(path) & BANNED for path in SOURCES}
    assert not {name: banned for name, banned in found.items() if banned}


def test_every_imported_library_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = [name for names in project["optional-dependencies"].values() for name in names]
    declared = {re.split(r"[<>=\[; ]", name)[0].lower() for name in project["dependencies"] + optional}
    named_otherwise = {
        "pillow": "pil",
        "scikit-learn": "sklearn",
        "pylance": "lance",
        "huggingface-hub": "huggingface_hub",
        "fast-bss-eval": "fast_bss_eval",
        "python-multipart": "python_multipart",
    }
    known = {named_otherwise.get(name, name) for name in declared} | {"seehear", ""}
    for path in SOURCES:
        foreign = {name for name in imports_of(path) if name.lower() not in known | set(sys.stdlib_module_names)}
        assert not foreign, f"{path.name} imports {foreign}, which pyproject.toml does not declare"


def test_the_lock_holds_every_dependency_and_names_no_place() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = dict(line.lower().split("==") for line in lines if not line.startswith("#"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.split(r"[<>=\[; ]", name)[0].lower().replace("_", "-") for name in wanted}
    assert not names - {name.replace("_", "-") for name in pins}
    assert re.fullmatch(r"2\.1[0-3](\.\d+)?", pins["torch"])
    assert not [line for line in lines if "://" in line or "+" in line or " @ " in line or line.startswith("-")]


def test_the_version_is_told_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert seehear.__version__ == project["version"] == importlib.metadata.version("seehear")
    assert f"version: {seehear.__version__}\n" in citation
    assert f"[{seehear.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_file_says_what_it_is() -> None:
    silent = [str(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert not silent


def test_no_file_holds_two_ideas() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert not {name: lines for name, lines in lengths.items() if lines > 400}


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'clipz'"):
        _ = seehear.clipz
