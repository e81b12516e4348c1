"""Where clips live and how they become batches: folders, Lance tables, packing, order, loading.

Names are loaded on first use, so importing the room loads neither Lance nor PyAV.
"""

from typing import TYPE_CHECKING

from seehear.lazily import lazily

if TYPE_CHECKING:
    from seehear.clips.bad import BadClips as BadClips
    from seehear.clips.balanced_sampler import BalancedSampler as BalancedSampler
    from seehear.clips.balanced_sampler import label_weights as label_weights
    from seehear.clips.choice import DrawnChoice as DrawnChoice
    from seehear.clips.choice import FixedChoice as FixedChoice
    from seehear.clips.choice import FrameChoice as FrameChoice
    from seehear.clips.clip import Clip as Clip
    from seehear.clips.clip import ClipSource as ClipSource
    from seehear.clips.cutting import Span as Span
    from seehear.clips.cutting import cut as cut
    from seehear.clips.folder import FolderClips as FolderClips
    from seehear.clips.joined import JoinedClips as JoinedClips
    from seehear.clips.listing import Listing as Listing
    from seehear.clips.listing import list_folder as list_folder
    from seehear.clips.loader import Loader as Loader
    from seehear.clips.memory import MemoryClips as MemoryClips
    from seehear.clips.opening import open as open
    from seehear.clips.order import InOrder as InOrder
    from seehear.clips.order import in_order as in_order
    from seehear.clips.pack_state import Skip as Skip
    from seehear.clips.packing import pack as pack
    from seehear.clips.pieces import Cutting as Cutting
    from seehear.clips.pieces import pieces_of as pieces_of
    from seehear.clips.report import PackProgress as PackProgress
    from seehear.clips.report import PackReport as PackReport
    from seehear.clips.sampler import ShuffleSampler as ShuffleSampler
    from seehear.clips.table import TableClips as TableClips
    from seehear.clips.webdataset_out import WebDatasetReport as WebDatasetReport
    from seehear.clips.webdataset_out import export_webdataset as export_webdataset

_HOMES = {
    "BadClips": "bad",
    "BalancedSampler": "balanced_sampler",
    "Clip": "clip",
    "ClipSource": "clip",
    "Cutting": "pieces",
    "DrawnChoice": "choice",
    "FixedChoice": "choice",
    "FolderClips": "folder",
    "FrameChoice": "choice",
    "InOrder": "order",
    "Listing": "listing",
    "Loader": "loader",
    "JoinedClips": "joined",
    "MemoryClips": "memory",
    "PackProgress": "report",
    "PackReport": "report",
    "ShuffleSampler": "sampler",
    "Skip": "pack_state",
    "Span": "cutting",
    "TableClips": "table",
    "WebDatasetReport": "webdataset_out",
    "cut": "cutting",
    "export_webdataset": "webdataset_out",
    "in_order": "order",
    "label_weights": "balanced_sampler",
    "list_folder": "listing",
    "open": "opening",
    "pack": "packing",
    "pieces_of": "pieces",
}
__all__ = sorted(_HOMES)
__getattr__, __dir__ = lazily(__name__, _HOMES)
