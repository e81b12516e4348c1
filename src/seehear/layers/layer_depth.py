"""How deep in an encoder each parameter lies, for learning rates that decay towards the input.

Source: layer-wise decay of BEiT (arXiv 2106.08254, appendix) and MAViL's fine-tuning (arXiv 2212.08071): what lies
before the first block has depth 0, block i of a stack i + 1, and all that follows the blocks one more than the last
block. Parts that join sound and picture count as what follows (MAViL's released utility gave its fusion blocks the
rates of the first layers, by their names).
"""

from collections.abc import Collection

from torch import nn

from seehear.layers.block import Block, ModalityNorm


def depths(encoder: nn.Module, top: Collection[str]) -> tuple[dict[nn.Parameter, int], int]:
    """Depth of each parameter of `encoder`, and the depth of what follows the blocks.

    Args:
        encoder: stacks of `Block` in module lists, and what lies around them.
        top: names of its parts that follow the blocks.
    """
    above = {id(module) for name in top for module in encoder.get_submodule(name).modules()}
    found: dict[nn.Parameter, int] = {}
    for module in encoder.modules():
        if isinstance(module, nn.ModuleList) and id(module) not in above:
            for place, block in enumerate(module):
                if isinstance(block, Block):
                    found |= dict.fromkeys(block.parameters(), place + 1)
    last = max(found.values(), default=0) + 1
    for module in encoder.modules():
        if isinstance(module, ModalityNorm) or id(module) in above:  # final norms, and the parts on top
            found = dict.fromkeys(module.parameters(), last) | found
    return {p: found.get(p, 0) for p in encoder.parameters()}, last
