"""How a clip lies in a WebDataset shard: a tar whose members share a key up to the first dot of their name.

    KEY.json        the clip's row: id, source, times, split, labels, caption, times of the frames, truth
    KEY.000.jpg     its frames, as they are stored
    KEY.flac, .wav  its sound, 16 kHz mono, every sample as it is stored
    KEY.mp4         the moving pictures (or another container), where the table keeps them
    KEY.npz         masks, stems and the like, where the table keeps them

The key is the clip's id, with every byte but letters, digits, hyphens and underscores as %XX.
Format: WebDataset (https://github.com/webdataset/webdataset), "The WebDataset Format".
"""

import hashlib
from urllib.parse import quote

MARK = "seehear_clip"  # in the JSON of clips that were exported from a table; its value is the format's version
MARK_VERSION = 1
ROW = ("id", "source", "start_seconds", "duration_seconds", "split", "labels", "caption", "frame_seconds")
SHARD = "{:06d}.tar"
_LONGEST = 200


def key_of(clip_id: str) -> str:
    """The key of a clip: different for different ids, and safe as a file's name."""
    key = quote(clip_id, safe="", encoding="utf-8").replace(".", "%2E").replace("~", "%7E")
    if len(key) <= _LONGEST:
        return key
    digest = hashlib.blake2b(clip_id.encode(), digest_size=8).hexdigest()
    return f"{key[: _LONGEST - 17]}-{digest}"


def frame_names(count: int) -> list[str]:
    """Extensions of a clip's frames in their order."""
    return [f"{number:03d}.jpg" for number in range(count)]


def split_name(name: str) -> tuple[str, str]:
    """Key and extension of a member: the name up to, and after, the first dot of its last part."""
    folder, slash, last = name.rpartition("/")
    stem, _, extension = last.partition(".")
    return f"{folder}{slash}{stem}", extension.lower()
