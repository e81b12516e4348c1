"""Keyed random streams: every factor of every scene draws from a stream of its own.

A stream is named by a path such as (seed, "train", "A", 17, "texture"); words are hashed to 32-bit numbers and given
to NumPy's SeedSequence (O'Neill's seed_seq, as documented by NumPy). Drawing more numbers for one factor leaves every
other factor as it was, so knobs and later factors change only what they name.
"""

import hashlib

import numpy as np
from numpy.random import Generator, SeedSequence


def word(part: int | str) -> int:
    """A number below 2**64 for one word of a path: numbers stand for themselves, texts are hashed (BLAKE2b)."""
    if isinstance(part, int):
        return part
    return int.from_bytes(hashlib.blake2b(part.encode(), digest_size=4).digest(), "big")


def stream(*path: int | str) -> Generator:
    """The random generator of a path; equal paths give equal numbers on every machine."""
    return np.random.default_rng(SeedSequence([word(part) for part in path]))


def child_seed(*path: int | str) -> int:
    """One 32-bit seed for a path, to be stored in a scene and opened later by `stream`."""
    return int(SeedSequence([word(part) for part in path]).generate_state(1)[0])
