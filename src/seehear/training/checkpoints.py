"""Checkpoints on disk: whole or not at all, and nothing in them is a program.

A checkpoint is a folder `checkpoints/step-00001234` of safetensors files and one `state.json` with their SHA-256. It is
written under a temporary name, synced, renamed, and marked last by `COMPLETE`, which holds the hash of `state.json`;
removal takes the mark away first. So a crash at any instant leaves the newest marked checkpoint whole (contract R4).
"""

import errno
import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from seehear.errors import StorageError
from seehear.training.staging import view_of
from seehear.training.tensor_file import write_tensors

FORMAT_VERSION = 1
FOLDER = "checkpoints"
MARK = "COMPLETE"
STATE = "state.json"
_PREFIX, _TEMPORARY = "step-", ".saving-"

After = Callable[[str], None]  # told the name of each file operation once it is done


def do_nothing(operation: str) -> None:
    """The default hook."""


def checkpoint_name(step: int) -> str:
    """Folder name of the checkpoint after `step` steps."""
    return f"{_PREFIX}{step:08d}"


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint on disk.

    Attributes:
        path: its folder.
        state: content of `state.json`: format_version, step, config, versions, ...
    """

    path: Path
    state: dict[str, Any]

    @property
    def step(self) -> int:
        """Steps done when it was saved."""
        return self.state["step"]

    def tensors(self, name: str, device: str = "cpu") -> dict[str, Tensor]:
        """Tensors of the file `name`, with shared ones under each of their names.

        Raises:
            StorageError: if the file is missing or damaged.
        """
        from safetensors import SafetensorError  # here, so that a step can be taken with torch and numpy alone
        from safetensors.torch import load_file

        path = self.path / f"{name}.safetensors"
        try:
            stored = load_file(path, device=device)
        except (OSError, SafetensorError) as error:
            raise StorageError(f"{path} cannot be read ({error})", cause="a damaged file") from error
        aliases = self.state["aliases"].get(name, {})
        return stored | {alias: stored[original] for alias, original in aliases.items()}


def save_checkpoint(
    root: Path,
    step: int,
    files: Mapping[str, Mapping[str, Tensor]],
    state: Mapping[str, Any],
    *,
    after: After = do_nothing,
) -> Path:
    """Save tensors and state as `root/step-<step>`.

    Args:
        root: folder of checkpoints, made if missing.
        step: steps done.
        files: file name without suffix -> tensors by name; non-contiguous and shared ones are welcome.
        state: JSON-ready; what a resume needs besides tensors.
        after: told each file operation once done (tests stop the process there).

    Raises:
        StorageError: if the disk does not take it; what was there before is untouched.
    """
    final = root / checkpoint_name(step)
    temporary = root / f"{_TEMPORARY}{final.name}-{os.getpid()}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        after("make folder")
        digest = _write_files(temporary, step, files, state, after)
        _publish(temporary, final, digest, after)
    except StorageError:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        full = error.errno == errno.ENOSPC
        raise StorageError(
            f"checkpoint {final} could not be saved: {error}",
            cause="the disk is full" if full else "the disk is full, read-only or damaged",
            cure="free space, then start the same command again: it goes on from the last checkpoint",
        ) from error
    return final


def _write_files(
    folder: Path, step: int, files: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any], after: After
) -> str:
    """Write and sync everything but the mark; returns the hash of `state.json`."""
    hashes, aliases = {}, {}
    for name, tensors in files.items():
        path = folder / f"{name}.safetensors"
        stored, aliases[name] = _storable(tensors)
        hashes[path.name] = write_tensors(path, stored)
        after(f"write {name}")
        _sync(path)
        after(f"sync {name}")
    content = {"format_version": FORMAT_VERSION, "step": step, **state, "aliases": aliases, "sha256": hashes}
    path = folder / STATE
    path.write_text(json.dumps(content, indent=1))
    after("write state")
    _sync(path)
    _sync(folder)
    after("sync state and folder")
    return _hash(path)


def _publish(temporary: Path, final: Path, digest: str, after: After) -> None:
    """Give the folder its name, then the mark."""
    if final.exists():  # torn, or of a run that was resumed from an earlier step
        remove_checkpoint(final)
        after("remove namesake")
    temporary.rename(final)
    after("rename")
    _sync(final.parent)
    after("sync parent")
    unmarked = final / f"{MARK}.tmp"
    unmarked.write_text(digest)
    _sync(unmarked)
    after("write mark")
    unmarked.rename(final / MARK)
    after("rename mark")
    _sync(final)
    after("sync mark")


def _storable(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors to write, and names of equal views."""
    stored: dict[str, Tensor] = {}
    aliases: dict[str, str] = {}
    seen: dict[tuple, str] = {}
    for name, tensor in tensors.items():
        view = view_of(tensor)
        if view in seen:
            aliases[name] = seen[view]
        else:
            seen[view] = name
            stored[name] = tensor
    return stored, aliases


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Make the disk hold a file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_checkpoint(path: Path) -> None:
    """Remove a checkpoint; its mark goes first, so that a crash on the way leaves a torn one that is passed over."""
    (path / MARK).unlink(missing_ok=True)
    shutil.rmtree(path)


def keep_newest(root: Path, count: int, step: int) -> None:
    """Remove all but the newest `count` marked checkpoints up to `step`, which was just saved.

    What lies after it is damaged (the run was resumed from an earlier one) and goes too, as do half-written folders.
    """
    for path in root.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(path)
    last = checkpoint_name(step)
    kept = [path for path in _by_step(root) if (path / MARK).exists() and path.name <= last][-count:]
    for path in _by_step(root):
        if path not in kept:
            remove_checkpoint(path)


def _by_step(root: Path) -> list[Path]:
    """Checkpoint folders by rising step (never by time)."""
    found = [p for p in root.glob(f"{_PREFIX}*") if p.name.removeprefix(_PREFIX).isdigit()]
    return sorted(found, key=lambda path: int(path.name.removeprefix(_PREFIX)))


def latest_checkpoint(folder: Path | str, on_torn: Callable[[str], object] = warnings.warn) -> Path | None:
    """The newest whole checkpoint of a run folder, or None.

    Args:
        folder: of the run, or its `checkpoints` folder.
        on_torn: told of each torn one that is passed over.
    """
    root = Path(folder) / FOLDER if (Path(folder) / FOLDER).is_dir() else Path(folder)
    for path in reversed(_by_step(root)):
        damage = _damage(path)
        if not damage:
            return path
        on_torn(f"passing over the checkpoint {path}: {damage}")
    return None


def _damage(path: Path) -> str:
    """What is wrong with a checkpoint folder, or ""."""
    try:
        if not (path / MARK).exists():
            return "it was not completed"
        if (path / MARK).read_text() != _hash(path / STATE):
            return f"{STATE} is not what was saved"
        for name, digest in json.loads((path / STATE).read_text())["sha256"].items():
            if _hash(path / name) != digest:
                return f"{name} is not what was saved"
    except OSError as error:
        return f"{error.filename} cannot be read ({error.strerror})"
    return ""


def open_checkpoint(path: Path | str, *, verify: bool = True) -> Checkpoint:
    """Read a checkpoint's state.

    Args:
        path: of the checkpoint.
        verify: hash every file first (needless right after `latest_checkpoint`, which has done so).

    Raises:
        StorageError: if it is torn, or of another format version.
    """
    path = Path(path)
    damage = _damage(path) if verify else ""
    if damage:
        raise StorageError(f"the checkpoint {path} is damaged: {damage}", cure="use an earlier one")
    state = json.loads((path / STATE).read_text())
    if state["format_version"] != FORMAT_VERSION:
        raise StorageError(
            f"{path}: format_version is {state['format_version']}",
            expected=f"{FORMAT_VERSION}",
            cause=f"saved by SeeHear {state.get('versions', {}).get('seehear', 'of another version')}",
            cure="load it with that release; there is no override",
        )
    return Checkpoint(path, state)
