"""Arms of growth: time over tokens, activations over batch, memory of the loss over batch, against their formulas.

Legend: n tokens of a sequence, d width, L blocks.
"""

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.scaling.ranks import batch, config
from seehear.allocator import keep_freed_memory
from seehear.layers.block import Block, through
from seehear.losses.info_nce import info_nce
from seehear.methods.avsiam import Config
from seehear.randomness import Randomness
from seehear.runs.pretraining import build_method

Pass = Callable[[], Mapping[str, float]]
BYTES_PER_VALUE = 34  # of activations per n d L in bf16, no attention matrix kept (the sheet's sec. 4.5)


def stack(tokens: int, width: int, depth: int, total: int, train: bool) -> Pass:
    """One pass: `depth` blocks over `total` tokens in sequences of `tokens`, forward, or forward and backward."""
    keep_freed_memory()
    torch.manual_seed(0)
    blocks = nn.ModuleList(Block(width, width // 64) for _ in range(depth))
    x = torch.randn(total // tokens, tokens, width, requires_grad=train)

    def work() -> Mapping[str, float]:
        with torch.set_grad_enabled(train):
            y = through(blocks, x)
            if train:
                y.sum().backward()
        return {}

    return work


def saved_bytes(work: Callable[[], torch.Tensor], without: nn.Module) -> int:
    """Bytes of all that autograd keeps for the backward pass of `work()`, each memory once, weights left out."""
    own = {p.untyped_storage().data_ptr() for p in without.parameters()}
    kept: dict[int, tuple[int, torch.Tensor]] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)  # held, so that no address is used twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        work()
    return sum(size for size, _ in kept.values())


def block_activations(tokens: int, width: int, depth: int, bf16: bool) -> Pass:
    """One pass: bytes that a stack of blocks keeps per sequence (slope over the batch), and the formula's."""
    torch.manual_seed(0)
    blocks = nn.ModuleList(Block(width, width // 64) for _ in range(depth))

    def run(sequences: int) -> torch.Tensor:
        x = torch.randn(sequences, tokens, width, requires_grad=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            return through(blocks, x)

    def work() -> Mapping[str, float]:
        few, many = (saved_bytes(partial(run, count), blocks) for count in (2, 8))
        formula = BYTES_PER_VALUE * (1 if bf16 else 2) * tokens * width * depth
        return {"megabytes": (many - few) / 6e6, "formula_megabytes": formula / 1e6}

    return work


def step_activations(size: str, clips: int) -> Pass:
    """One pass: megabytes that a whole joint step in fp32 keeps per clip (slope over the batch), and the formula's."""
    run = config(size)
    method, inputs = build_method(run), run.method.inputs

    def loss_of(count: int) -> torch.Tensor:
        return method(batch(inputs, count), Randomness(0, 1000))["loss"]

    def work() -> Mapping[str, float]:
        few, many = (saved_bytes(partial(loss_of, count), method) for count in (clips, 3 * clips))
        formula = 2 * BYTES_PER_VALUE * _values(run.method)
        return {"megabytes": (many - few) / (2e6 * clips), "formula_megabytes": formula / 1e6}

    return work


def _values(method: Config) -> float:
    """n d L of a clip, summed over trunk (contrast at the mean of the ratios, reconstruction), fusion and decoder."""
    places = [rows * columns for rows, columns in method.inputs.grids(method.patch).values()]
    drawing, ratios = method.reconstruction, method.masking.ratios
    seen = sum(n * (1 - sum(ratios) / len(ratios)) for n in places)
    visible = sum(n * (1 - method.masking.reconstruction_ratio) for n in places)
    trunk = (seen + visible) * method.width * method.depth
    decoded = visible + (sum(places) - visible) * drawing.decode
    return trunk + visible * method.width * drawing.fusion_depth + decoded * drawing.width * drawing.depth


def loss(clips: int, width: int, chunk: int | None) -> Pass:
    """One pass: the contrastive loss of random embeddings with its gradients."""
    torch.manual_seed(0)
    audio, image = (F.normalize(torch.randn(clips, width), dim=1).requires_grad_() for _ in range(2))

    def once(rows: int) -> None:
        leaves = (audio[:rows], image[:rows])
        torch.autograd.grad(info_nce(*leaves, torch.arange(rows), 0.05, chunk=chunk), leaves)

    once(64)  # loads what torch loads on first use

    def work() -> Mapping[str, float]:
        once(clips)
        return {}

    return work
