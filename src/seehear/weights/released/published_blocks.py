"""Published transformer blocks under this project's names.

All layouts of the field name a block's parts as timm does. AVSiam's and CAV-MAE's blocks have three pairs of
LayerNorms, `norm1`/`norm2`, `norm1_a`/`norm2_a` and `norm1_v`/`norm2_v`, of which a pass uses one.
"""

from collections.abc import Mapping

from torch import Tensor

from seehear.weights.released.state import StateReader

Named = dict[str, Tensor]
SUFFIXES = ("", "_a", "_v")


def block(
    state: StateReader,
    prefix: str,
    width: int,
    sets: Mapping[str, str],
    unused: str = "",
    hidden: int | None = None,
) -> Named:
    """One block.

    Args:
        state: what is read.
        prefix: of the block's keys, with its dot at the end.
        width: D.
        sets: suffix of the published norms by the name of our norm set, e.g. {"audio": "_a"}.
        unused: why the other norms of the block serve no pass; reported beside their names.
        hidden: width of its MLP; by default 4 D.
    """
    found, hidden = {}, hidden or 4 * width
    for part in ("norm1", "norm2"):
        for name, suffix in sets.items():
            found |= norm(state, f"{prefix}{part}{suffix}", f"{part}.{name}", width)
        for suffix in SUFFIXES:
            if suffix not in sets.values():
                state.drop(f"{prefix}{part}{suffix}.", unused)
    for name, outputs, inputs in (
        ("attn.qkv", 3 * width, width),
        ("attn.proj", width, width),
        ("mlp.fc1", hidden, width),
        ("mlp.fc2", width, hidden),
    ):
        found |= linear(state, prefix + name, name, outputs, inputs)
    return found


def stack(
    state: StateReader,
    prefix: str,
    ours: str,
    depth: int,
    width: int,
    sets: Mapping[str, str],
    unused: str = "",
    hidden: int | None = None,
) -> Named:
    """Blocks `prefix`0 to `depth` - 1 as `ours`.0 and on."""
    found = {}
    for number in range(depth):
        found |= under(f"{ours}.{number}", block(state, f"{prefix}{number}.", width, sets, unused, hidden))
    return found


def norm(state: StateReader, theirs: str, ours: str, width: int) -> Named:
    """A LayerNorm."""
    return {f"{ours}.{part}": state.take(f"{theirs}.{part}", (width,)) for part in ("weight", "bias")}


def linear(state: StateReader, theirs: str, ours: str, outputs: int, inputs: int) -> Named:
    """A linear layer."""
    return {
        f"{ours}.weight": state.take(f"{theirs}.weight", (outputs, inputs)),
        f"{ours}.bias": state.take(f"{theirs}.bias", (outputs,)),
    }


def under(name: str, tensors: Mapping[str, Tensor]) -> Named:
    """The same with `name` and a dot before every name."""
    return {f"{name}.{key}": value for key, value in tensors.items()}
