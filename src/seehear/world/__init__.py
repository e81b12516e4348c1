"""The procedural audio-visual world: real clips with exact ground truth, made on the user's own machine.

Scenes and arrays need NumPy and scipy.signal only; `build` writes mp4 files through `seehear.media`.
"""

from typing import TYPE_CHECKING

from seehear.lazily import lazily

if TYPE_CHECKING:
    from seehear.world.disk.building import BuildReport as BuildReport
    from seehear.world.disk.building import build as build
    from seehear.world.fingerprints import fingerprint as fingerprint
    from seehear.world.presets import PRESETS as PRESETS
    from seehear.world.presets import Preset as Preset
    from seehear.world.rendering import Rendered as Rendered
    from seehear.world.rendering import memory_clips as memory_clips
    from seehear.world.rendering import render as render
    from seehear.world.sampling import scene as scene
    from seehear.world.scenes import Scene as Scene

VERSION = 1  # raised with every change of what a clip shows or sounds like

_HOMES = {
    "BuildReport": "disk.building",
    "PRESETS": "presets",
    "Preset": "presets",
    "Rendered": "rendering",
    "Scene": "scenes",
    "build": "disk.building",
    "fingerprint": "fingerprints",
    "memory_clips": "rendering",
    "render": "rendering",
    "scene": "sampling",
}
__getattr__, __dir__ = lazily(__name__, _HOMES)
