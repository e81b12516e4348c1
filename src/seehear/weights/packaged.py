"""The models that ship with the package: they load on a machine without network."""

from pathlib import Path

from seehear.weights.model_folder import CONFIG

ROOT = Path(__file__).with_name("models")


def packaged_names() -> tuple[str, ...]:
    """Names that `load` knows by themselves."""
    return tuple(sorted(path.parent.name for path in ROOT.glob(f"*/{CONFIG}")))


def packaged_folder(name: str) -> Path | None:
    """Folder of a packaged model, or None."""
    return ROOT / name if name in packaged_names() else None
