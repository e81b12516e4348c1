"""EZ-VSL's released files (github.com/stoneMo/EZ-VSL) as the method `ez_vsl`: two ResNet-18 and their projections.

A file is a training state whose entry `model` holds the weights, their names under `module.`.
The ImageNet ResNet-18 of object-guided localisation is not among them.
"""

from torch import Tensor

from seehear.backbones.resnet import WIDTHS
from seehear.errors import UsageError
from seehear.methods.ez_vsl import Config, EzVsl
from seehear.weights.released.encoder import Preprocessing, ReleasedEncoder
from seehear.weights.released.reading import Reading
from seehear.weights.released.resnet18 import read_trunk
from seehear.weights.released.shapes import refuse_shape
from seehear.weights.released.state import StateReader

TOWERS = {"image": ("imgnet.", 3), "audio": ("audnet.", 1)}
TEMPERATURE = 0.03
SIDE, BINS = 224, 257
NOTE = (
    "sound is the natural log of SciPy's spectrogram plus 1e-7 (512 samples every 238, at the rate of the file; "
    "here 16 kHz), over 12"
)
PREPROCESSING = Preprocessing(audio_mean=None, image_size=(SIDE, SIDE), picture_fit="squash", note=NOTE)


class EzVslEncoder(ReleasedEncoder):
    """See `ReleasedEncoder`.

    Args:
        method: with the released weights.
        reading: what became of the file's keys.
    """

    def __init__(self, method: EzVsl, reading: Reading):
        super().__init__(reading, PREPROCESSING)
        self.method = method

    def localize(self, image: Tensor, spectrogram: Tensor) -> Tensor:
        """Similarity of each place of a picture to its sound, over 0.03: `[B, 7, 7]`, within +-33.3.

        Args:
            image: `[B, 3, 224, 224]`, normalised.
            spectrogram: `[B, 1, 257, T]`, log power over 12; any T.

        Raises:
            UsageError: if a shape does not fit.
        """
        return self.method.similarities(self._checked(spectrogram, image))

    def forward_features(self, spectrogram: Tensor | None = None, image: Tensor | None = None) -> dict[str, Tensor]:
        """Projected tokens `[B, N, D]`: "audio" of `spectrogram [B, 1, 257, T]`, "image" of `image [B, 3, 224, 224]`.

        Raises:
            UsageError: if nothing is given, or a shape does not fit.
        """
        features = self.method.features(
            self.method.branches(self._checked(spectrogram, image)), only=("audio", "image")
        )
        return {modality: found.tokens for modality, found in features.items()}

    def _checked(self, spectrogram: Tensor | None, image: Tensor | None) -> dict[str, Tensor]:
        found = {}
        if spectrogram is not None:
            refuse_shape("spectrogram", spectrogram, (1, BINS, spectrogram.shape[-1]))
            found["audio"] = spectrogram
        if image is not None:
            refuse_shape("image", image, (3, SIDE, SIDE))
            found["image"] = image
        if not found:
            raise UsageError("neither a spectrogram nor an image is given", expected="one of them, or both")
        return found


def read(state: StateReader) -> ReleasedEncoder:
    """The network of a file.

    Args:
        state: the file.
    """
    (width, _, _, _), _ = state.sizes({"img_proj.weight": 4, "aud_proj.weight": 2})
    tensors = {
        "image_projection.weight": state.take("img_proj.weight", (width, WIDTHS[-1], 1, 1)).flatten(1),
        "image_projection.bias": state.take("img_proj.bias", (width,)),
        "audio_projection.weight": state.take("aud_proj.weight", (width, WIDTHS[-1])),
        "audio_projection.bias": state.take("aud_proj.bias", (width,)),
    }
    for modality, (prefix, channels) in TOWERS.items():
        tensors |= {f"trunk.{modality}.{name}": value for name, value in read_trunk(state, prefix, channels).items()}
    reading = state.finish()
    method = EzVsl(Config(width=width, temperature=TEMPERATURE))
    method.load_state_dict(tensors)
    return EzVslEncoder(method, reading)
