"""Splits: disjoint seeds and disjoint instances between training, validation and test.

Of every pool of instances (objects of a class, backgrounds with their rooms, noises, caption templates) the first
70 % belong to training, the next 10 % to validation and the last 20 % to test. `test_iid` is a control: training
instances under new seeds. `test_ood` is harder: test instances one difficulty level above the preset's.
"""

from seehear.configuration import unknown_name

SPLITS = ("train", "val", "test", "test_iid", "test_ood")
_SHARES = {"train": (0.0, 0.7), "val": (0.7, 0.8), "test": (0.8, 1.0), "test_iid": (0.0, 0.7), "test_ood": (0.8, 1.0)}

OBJECT_INSTANCES = 100
BACKGROUND_INSTANCES = 200
NOISE_INSTANCES = 40


def instances(split: str, pool: int) -> range:
    """The instance numbers of a pool of `pool` that a split may use.

    Raises:
        UsageError: if there is no such split.
    """
    if split not in _SHARES:
        raise unknown_name(f"split {split!r}", split, SPLITS)
    first, last = _SHARES[split]
    return range(round(first * pool), round(last * pool))
