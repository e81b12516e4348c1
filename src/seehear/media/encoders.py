"""Which encoders this machine's PyAV has: asked at run time, because builds differ."""

from functools import cache

import av

from seehear.errors import UsageError

H264_ENCODERS = ("libx264", "libopenh264")
VIDEO_ENCODERS = (*H264_ENCODERS, "mpeg4")  # in order of preference; mpeg4 is the last resort


@cache
def has_encoder(name: str) -> bool:
    """Whether FFmpeg inside PyAV can encode with `name`."""
    try:
        av.Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        return False
    return True


def encoder_for(names: tuple[str, ...] = VIDEO_ENCODERS) -> str:
    """The first of `names` that this machine has.

    Raises:
        UsageError: if it has none.
    """
    for name in names:
        if has_encoder(name):
            return name
    raise UsageError(
        f"PyAV {av.__version__} has none of the encoders {', '.join(names)}",
        cause="a build of PyAV without them",
        cure="pip install --force-reinstall --only-binary :all: 'av>=18,<19'",
    )
