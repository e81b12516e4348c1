"""What a machine has: interpreter, libraries, cores, memory, devices, encoders, disk. Facts for `seehear doctor`."""

import importlib.metadata
import os
import platform
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from seehear import __version__

LOW_DISK_BYTES = 2_000_000_000  # the demo's world, table, checkpoints and report take about half of it


def machine_facts(place: Path) -> dict[str, Any]:
    """Everything below as one JSON-ready document; `place` is the folder whose disk counts."""
    return {
        "seehear": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": usable_cores(),
        **memory_bytes(),
        "free_disk_bytes": shutil.disk_usage(place).free,
        "devices": devices(),
        "media": media_facts(),
        "libraries": library_versions(),
    }


def usable_cores() -> int:
    """Cores that this process may run on (fewer than the machine has, inside most containers)."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> dict[str, int]:
    """`memory_bytes`, and `free_memory_bytes` where the system tells it."""
    page = os.sysconf("SC_PAGE_SIZE")
    facts = {"memory_bytes": page * os.sysconf("SC_PHYS_PAGES")}
    if "SC_AVPHYS_PAGES" in os.sysconf_names:
        facts["free_memory_bytes"] = page * os.sysconf("SC_AVPHYS_PAGES")
    listing = Path("/proc/meminfo")
    if listing.exists():  # counts what caches would give back, which the plain figure does not
        available = re.search(r"MemAvailable:\s*(\d+) kB", listing.read_text(encoding="ascii"))
        if available:
            facts["free_memory_bytes"] = int(available[1]) * 1024
    return facts


def devices() -> list[dict[str, Any]]:
    """What torch can compute on, the best first."""
    import torch

    found: list[dict[str, Any]] = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        found.append({"device": f"cuda:{index}", "name": properties.name, "memory_bytes": properties.total_memory})
    if torch.backends.mps.is_available():
        found.append({"device": "mps", "name": "Apple GPU"})
    name = platform.processor() or platform.machine()
    found.append({"device": "cpu", "name": name, "threads": torch.get_num_threads()})
    return found


def media_facts() -> dict[str, Any]:
    """What PyAV's FFmpeg can read and write here."""
    from seehear.media import CODECS, CONTAINERS
    from seehear.media.encoders import VIDEO_ENCODERS, has_encoder

    return {
        "encoders": [name for name in (*VIDEO_ENCODERS, "aac", "flac") if has_encoder(name)],
        "containers": sorted(CONTAINERS),
        "codecs": sorted(CODECS),
    }


def library_versions() -> dict[str, str | None]:
    """Installed version of every library that seehear asks for, None where it is missing."""
    asked = importlib.metadata.requires("seehear") or ()
    return {name: _version(name) for name in (_name_of(text) for text in asked if "extra ==" not in text)}


def _name_of(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def warnings(facts: dict[str, Any]) -> list[str]:
    """What of these facts will get in the way, each with what to do."""
    found = []
    for requirement in importlib.metadata.requires("seehear") or ():
        name, version = _name_of(requirement), facts["libraries"].get(_name_of(requirement))
        least = re.search(r">=\s*([0-9.]+)", requirement)
        if name in facts["libraries"] and version is None:
            found.append(f"{name} is missing: pip install '{requirement}'")
        elif version is not None and least and _numbers(version) < _numbers(least[1]):
            found.append(f"{name} {version} is older than {least[1]}: pip install '{requirement}'")
    if not {"libx264", "libopenh264"} & set(facts["media"]["encoders"]):
        found.append("PyAV has no H.264 encoder: videos are written as MPEG-4 part 2, which browsers do not play")
    if facts["free_disk_bytes"] < LOW_DISK_BYTES:
        found.append(f"only {facts['free_disk_bytes'] / 1e9:.1f} GB of disk are free here")
    return found


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
