"""What test processes do: functions that a process can import without the tests' own libraries."""

import os
import resource
import signal
import sys
import time

import torch

from seehear.contracts import Batch, Figure, Progress
from seehear.errors import DataError, RequeueError, SeeHearError, StorageError
from seehear.layers.inputs import InputConfig
from seehear.methods.avsiam import AVSiam, Config, MaskingConfig, ReconstructionConfig
from seehear.randomness import Randomness
from seehear.training import OptimizerConfig, Trainer, distributed
from seehear.training.checkpoints import save_checkpoint
from seehear.training.guard import NonFiniteGuard
from seehear.training.optimizers import build_optimizers, optimizer_tensors
from seehear.training.run_lock import run_lock
from seehear.training.sharding import shard, whole_copy
from seehear.training.staging import Staging
from seehear.training.step import Stepper
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
            inside = (outer.world_size, inner.gather(rank), distributed.joined())  # nobody leaves before all are there
        between = distributed.joined()
    sys.exit(0 if (inside, between, distributed.joined()) == ((2, [0, 1], True), True, False) else 1)


def evaluated(rank, world_size, folder, training):
    """Train as one of several ranks, with a figure of the weights every second step."""

    def loudness(method, progress):
        yield Figure("loudness", method.sound.weight.abs().mean().item())

    config = stub_config(method=TwoTowers.Config(double=True, depth=2), steps=4, evaluate_every=2, **training)
    stream = MemoryStream(rank=rank, world_size=world_size)
    Trainer(TwoTowers(config.method), stream, config, folder, evaluations=[loudness], device="cpu").run()


def sharded_step(rank, world_size, folder, parallel, settings):
    """Steps of a small AVSiam in float64, on shards or not; saves gradients' moments, weights and what it encodes."""
    peers = distributed.start("cpu")
    method = small_avsiam(**settings.pop("method", {}))
    if parallel == "fsdp" and world_size > 1:
        shard(method, peers.device)
    optimizers = build_optimizers(method, OptimizerConfig(kind="adamw", learning_rate=1e-3))
    guard = NonFiniteGuard(method, peers.device, peers)
    stepper = Stepper(method, optimizers, guard, peers, Randomness(0, 40), **settings)
    for step in range(2):
        stepper(small_batch(step, rank, world_size), 1e-3, Progress(step, 2, 0.0))
    files = {"weights": method.state_dict(), "moments": optimizer_tensors(optimizers, method)}
    whole = Staging(peers.device, peers.first).copy(files)
    alone = whole_copy(method, AVSiam, peers.first)
    if peers.first:
        encoded = alone.eval().encode(small_batch(0, 0, 1))
        save_checkpoint(folder, 1, whole | {"encoded": {m: f.pooled for m, f in encoded.items()}}, {})
    distributed.stop()


def small_avsiam(**fields):
    """A network of two small blocks in float64, equal on every rank."""
    torch.manual_seed(0)
    inputs = InputConfig(audio_seconds=0.4, mel_bins=16, audio_frames=32, image_height=32, image_width=32)
    drawing = ReconstructionConfig(fusion_depth=1, width=16, depth=1, heads=2)
    masking = MaskingConfig(ratios=(0.0, 0.5))
    config = Config(
        inputs=inputs, patch=8, width=16, depth=2, heads=2, masking=masking, reconstruction=drawing, **fields
    )
    return AVSiam(config).double()


def small_batch(step, rank, world_size, clips=8):
    """This rank's clips of a step: functions of their number."""
    numbers = torch.arange(step * clips, (step + 1) * clips).chunk(world_size)[rank]
    draw = [torch.Generator().manual_seed(int(n)) for n in numbers]
    fields = {
        "waveform": torch.stack([torch.randint(-9000, 9000, (6400,), generator=g) for g in draw]).to(torch.int16),
        "waveform_samples": torch.full((len(numbers),), 6400),
        "frames": torch.stack([torch.randint(0, 256, (1, 3, 32, 32), generator=g) for g in draw]).to(torch.uint8),
    }
    return Batch(numbers, numbers, fields)
