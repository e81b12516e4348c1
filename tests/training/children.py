"""What test processes do: functions that a process can import without the tests' own libraries."""

import os
import resource
import signal
import sys
import time

import torch

from seehear.errors import DataError, RequeueError, SeeHearError, StorageError
from seehear.training import Trainer, distributed
from seehear.training.checkpoints import save_checkpoint
from seehear.training.run_lock import run_lock
from tests.training.stubs import MemoryStream, TwoTowers, stub_config


def save(root, step, **options):
    """A small checkpoint of two files."""
    tensors = {"weights": {"w": torch.full((3, 2), float(step))}, "moments": {"m": torch.arange(step)}}
    return save_checkpoint(root, step, tensors, {"note": f"step {step}"}, **options)


def killed_save(root, operation):
    """Save step 2 and die right after one file operation."""
    save(root, 2, after=lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == operation else None)


def limited_save(root, limit):
    """Save under a limit of file size, as on a full disk; exit 5 with StorageError."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        save(root, 2)
    except StorageError as error:
        sys.exit(error.exit_status)


def hold(folder, ready):
    """Hold a run folder's lock until killed."""
    with run_lock(folder):
        ready.touch()
        time.sleep(60)


def train(folder, die_at=None, number=signal.SIGKILL, operation=None, steps=12, method=None):
    """Train the stub; may send itself a signal before a step, or after a file operation of the second save."""
    told = []

    def at_step(step):
        if step == die_at and operation is None:
            os.kill(os.getpid(), number)

    def after_operation(name):
        told.append(name)
        if name == operation and told.count(name) == 2:
            os.kill(os.getpid(), number)

    config = stub_config(steps=steps, method=method or TwoTowers.Config(rows=True))
    stream = MemoryStream(hook=at_step, broken=(3,))
    trainer = Trainer(TwoTowers(config.method), stream, config, folder, after_file_operation=after_operation)
    try:
        trainer.run()
    except RequeueError as error:
        sys.exit(error.exit_status)


def signalled_twice(folder, grace_seconds):
    """Train, with two signals to itself inside one step."""

    def twice(step):
        if step == 6:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)  # let Python see the first
            os.kill(os.getpid(), signal.SIGTERM)

    config = stub_config(grace_seconds=grace_seconds)
    Trainer(TwoTowers(config.method), MemoryStream(hook=twice), config, folder).run()


def stuck_after_signal(folder, grace_seconds):
    """Train, with one signal inside a step that never ends."""

    def stuck(step):
        if step == 6:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)

    config = stub_config(grace_seconds=grace_seconds)
    Trainer(TwoTowers(config.method), MemoryStream(hook=stuck), config, folder).run()


def train_rank(rank, world_size, folder, method, training, die_at=None, number=signal.SIGKILL, bad_step=None):
    """Train as one of several ranks; rank 1 may send itself a signal before a step, or have a bad loss."""

    def at_step(step):
        if step == die_at and rank == 1:
            os.kill(os.getpid(), number)

    config = stub_config(method=method, **training)
    stream = MemoryStream(rank=rank, world_size=world_size, hook=at_step, broken=(3,))
    network = TwoTowers(method)
    if rank == 1:
        network.register_forward_hook(
            lambda _, args, losses: (
                losses | {"loss": losses["loss"] * float("nan")}
                if args[0].positions[0] // stream.global_batch == bad_step
                else losses
            )
        )
    try:
        Trainer(network, stream, config, folder, device="cpu").run()
    except SeeHearError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_status)  # inside the handler: the traceback lives until the interpreter ends


def end_of_run(rank, world_size, folder, fails):
    """Train as one of several ranks, perhaps to an error that is kept; the group of processes must be left."""

    def at_step(step):
        if fails and step == 2:
            raise DataError("a broken stream")

    config = stub_config(steps=4)
    stream = MemoryStream(rank=rank, world_size=world_size, hook=at_step)
    kept = []
    try:
        Trainer(TwoTowers(config.method), stream, config, folder, device="cpu").run()
    except DataError as error:
        kept.append(error)
    sys.exit(1 if len(kept) != fails or distributed.joined() else 0)


def nested_sessions(rank, world_size):
    """Only the outermost session leaves, also when it ends by an error."""
    with distributed.session("cpu") as outer:
        with distributed.session("cpu") as inner:
            inside = (outer.world_size, inner.world_size, distributed.joined())
        between = distributed.joined()
    sys.exit(0 if (inside, between, distributed.joined()) == ((2, 2, True), True, False) else 1)
