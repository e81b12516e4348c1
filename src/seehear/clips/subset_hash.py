"""One short text for the set of clips that a result was measured on.

Published subsets shrink as videos vanish, so two figures compare only where their hashes are equal. The ids are hashed
in the order of their code points, each with a line feed: `LC_ALL=C sort -u ids.txt | b2sum -l 64` gives it too.
"""

import hashlib
from collections.abc import Iterable


def subset_hash(ids: Iterable[str]) -> str:
    """16 hexadecimal digits for a set of clip ids; neither their order nor repeats matter."""
    digest = hashlib.blake2b(digest_size=8)
    for name in sorted(set(ids)):
        digest.update(name.encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()
