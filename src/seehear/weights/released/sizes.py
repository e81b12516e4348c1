"""Attention heads by width, which no weight tells: those of ViT-Ti, S, B, L and H, else heads 64 wide."""

HEADS = {192: 3, 384: 6, 768: 12, 1024: 16, 1280: 16}


def heads_of(width: int) -> int:
    """Heads of a trunk of that width."""
    return HEADS.get(width, max(1, width // 64))
