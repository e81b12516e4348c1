"""Whole runs by one process or several, and what they left."""

from seehear.training import latest_checkpoint, open_checkpoint
from tests.training.children import train_rank
from tests.training.processes import exit_codes, start, start_ranks


def run(world_size, folder, *arguments):
    if world_size == 1:
        return exit_codes([start(train_rank, 0, 1, folder, *arguments)])
    return exit_codes(start_ranks(world_size, train_rank, folder, *arguments))


def tensors(folder, name):
    return open_checkpoint(latest_checkpoint(folder)).tensors(name)
