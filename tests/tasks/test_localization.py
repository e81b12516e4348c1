"""Localisation figures: a network that listens and one that does not, floors by hand, targets, and negatives."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from seehear import clips
from seehear.backbones.convnet import ConvNet
from seehear.clips.published import read_vgg_ss
from seehear.contracts import AudioNeed, Batch, Features, FrameNeed, Localizes, Method, Needs
from seehear.errors import DataError, UsageError
from seehear.layers.object_guidance import Objectness
from seehear.methods.ez_vsl import Config, ConvNetConfig, EzVsl
from seehear.randomness import stable_hash
from seehear.tasks import Target, localization, published_targets, similarity_maps, world_targets
from seehear.tasks.localization_maps import blind_maps, pictures_of
from seehear.world import memory_clips
from seehear.world.truth.arrays import truth_arrays
from tests.clips.published_lists import write

SIDE = 16


class Listener(Method):
    """Finds the half of the picture that the sign of the sound's mean tells: below 0 the left one."""

    Config = dict

    @property
    def needs(self) -> Needs:
        return Needs(AudioNeed(0.01), FrameNeed(1, SIDE, SIDE))

    def localize(self, batch: Batch) -> Tensor:
        assert batch["frames"].shape[1] == 1
        sign = batch["waveform"].float().mean(dim=1).sign()
        return -sign[:, None, None] * torch.tensor([1.0, 1.0, -1.0, -1.0]).expand(len(batch), 4, 4)


class Deaf(Listener):
    """Always takes the left half."""

    def localize(self, batch: Batch) -> Tensor:
        return torch.tensor([1.0, 1.0, -1.0, -1.0]).expand(len(batch), 4, 4)


def _batches(count: int = 12, frames: int = 1, size: int = 5, silent: int = 0) -> list[Batch]:
    """Clips that sound left and right in turn, the last ones silent."""
    loud = torch.tensor([(-1) ** (n + 1) * 1000 if n < count - silent else 0 for n in range(count)])
    generator = torch.Generator().manual_seed(0)
    pictures = torch.randint(0, 255, (count, frames, 3, SIDE, SIDE), generator=generator).to(torch.uint8)
    found = []
    for start in range(0, count, size):
        rows = torch.arange(start, min(start + size, count))
        fields = {
            "waveform": loud[rows, None].expand(-1, 160).to(torch.int16),
            "waveform_samples": torch.full((len(rows),), 160),
            "frames": pictures[rows],
        }
        found.append(Batch(rows * 7 + 1, rows, fields))
    return found


def _targets(count: int = 12, silent: int = 0) -> dict[int, Target]:
    left, right = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE))
    left[:, : SIDE // 2], right[:, SIDE // 2 :] = 1, 1
    found = {7 * n + 1: Target(right if n % 2 else left, "large" if n < 6 else "medium") for n in range(count - silent)}
    return found | {7 * n + 1: Target(None, negative="silent") for n in range(count - silent, count)}


def _by_name(*arguments, **options) -> dict:
    return {figure.name: figure for figure in localization(*arguments, **options)}


# ------------------------------------------------------------------------------------------------- figures
def test_a_network_that_listens_is_told_from_one_that_does_not() -> None:
    assert isinstance(Listener(), Localizes)
    found = _by_name(Listener(), _batches(), _targets(), untrained=Deaf())
    for name in ("CIoU", "AUC", "mean cIoU", "adaptive CIoU", "adaptive AUC", "pointing"):
        figure = found[f"localization/all/sound/{name}"]
        assert figure.value == pytest.approx(1.0), name
        assert figure.ceiling == pytest.approx(1.0), name
        assert figure.baselines["shuffled audio"] == pytest.approx(0.025 if name.endswith("AUC") else 0.0), name
    figure = found["localization/all/sound/CIoU"]
    assert figure.untrained == 0.5
    assert figure.baselines["whole image"] == 1.0  # half of the picture: at 0.5 exactly
    assert found["localization/all/sound/mean cIoU"].baselines["whole image"] == pytest.approx(0.5)
    assert found["localization/all/sound/pointing"].chance == pytest.approx(0.5)
    assert set(figure.baselines) == {"noise", "whole image", "centre disc", "shuffled audio"}
    assert {name.split("/")[1] for name in found} == {"all", "large", "medium"}
    assert found["localization/large/sound/CIoU"].note.startswith("6 clips, regions of 50 %")


def test_neither_size_of_batches_nor_frames_beside_change_the_maps() -> None:
    one, other = (_by_name(Listener(), _batches(size=size), _targets()) for size in (3, 12))
    assert one == other
    filmed = _by_name(Listener(), _batches(frames=4), _targets())
    assert "motion" in filmed["localization/all/sound/CIoU"].baselines
    assert filmed["localization/all/sound/CIoU"].value == 1.0


def test_objectness_alone_stands_beside_the_blend() -> None:
    def judge(pictures: Tensor) -> Tensor:
        assert pictures.shape[1:] == (3, SIDE, SIDE)
        return torch.tensor([[0.0, 0.0], [9.0, 9.0]]).expand(len(pictures), 2, 2)

    found = _by_name(Listener(), _batches(), _targets(), objectness=judge, alpha=0.9)
    blend = found["localization/all/sound and objectness/CIoU"]
    assert blend.value == 1.0
    assert blend.baselines["objectness"] == 0.0  # below, half of it right: 64 of 128 + 64
    assert blend.baselines["shuffled audio"] == 0.0
    assert found["localization/all/sound/mean cIoU"].baselines["objectness"] == pytest.approx(1 / 3)
    nothing = _by_name(Listener(), _batches(), _targets(), objectness=judge, alpha=0.0)
    assert nothing["localization/all/sound and objectness/mean cIoU"].value == pytest.approx(1 / 3)


def test_silence_is_no_detection_where_the_peak_is_lower() -> None:
    found = _by_name(Listener(), _batches(silent=4), _targets(silent=4), untrained=Deaf())
    rate = found["localization/negatives/silent/false positives"]
    assert (rate.value, rate.chance, rate.untrained, rate.baselines["shuffled audio"]) == (0.0, 0.9, 1.0, 1.0)
    assert not rate.higher_is_better
    ap = found["localization/negatives/AP"]
    assert (ap.value, ap.ceiling) == (1.0, 1.0)
    assert ap.baselines["constant confidence"] == pytest.approx(8 / 12)
    assert found["localization/negatives/LocAcc"].value == pytest.approx(8 / 12)
    assert found["localization/all/sound/CIoU"].note.startswith("8 clips")


def test_clips_without_a_modality_or_a_target_are_counted() -> None:
    batches, targets = _batches(), _targets()
    for batch in batches:
        batch.fields["has_audio"] = torch.arange(len(batch)) != 1
    del targets[1]
    note = _by_name(Listener(), batches, targets)["localization/all/sound/CIoU"].note
    assert note.startswith("8 clips")
    assert "4 clips without sound, picture or target left out" in note
    with pytest.raises(DataError, match="no clip with a truth"):
        list(localization(Listener(), [], targets))
    with pytest.raises(DataError, match="no clip with a truth"):
        list(localization(Listener(), batches, {}))


def test_maps_that_are_not_finite_are_refused() -> None:
    class Broken(Listener):
        def localize(self, batch: Batch) -> Tensor:
            return super().localize(batch) / 0 * 0

    with pytest.raises(DataError, match="NaN or infinity"):
        list(localization(Broken(), _batches(), _targets()))


# ------------------------------------------------------------------------------------------------- maps
class Tokens(Method):
    """Encodes into given tokens, with one leading token that has no place."""

    Config = dict

    def __init__(self, grid: tuple[int, ...], width: int = 3):
        super().__init__()
        torch.manual_seed(0)
        self.grid = grid
        self.sound, self.tokens = torch.randn(2, width), torch.randn(2, 1 + int(np.prod(grid)), 3)

    def encode(self, batch: Batch, with_layers: bool = False) -> dict[str, Features]:
        audio = Features(self.sound[:, None], (1,), self.sound, F.normalize(self.sound, dim=-1))
        return {"audio": audio, "image": Features(self.tokens, self.grid, self.tokens[:, 0], self.tokens[:, 0])}


def test_any_network_with_image_tokens_gives_cosines() -> None:
    method = Tokens((2, 4))
    found = similarity_maps(method, _batches(2)[0])
    for b in range(2):
        for place in range(8):
            cosine = F.cosine_similarity(method.tokens[b, 1 + place], method.sound[b], dim=0)
            torch.testing.assert_close(found[b, place // 4, place % 4], cosine)
    film = Tokens((3, 2, 4))
    torch.testing.assert_close(similarity_maps(film, _batches(2)[0]).shape, torch.Size((2, 2, 4)))
    with pytest.raises(UsageError, match="as wide as the sound"):
        similarity_maps(Tokens((2, 4), width=5), _batches(2)[0])
    with pytest.raises(UsageError, match="rows and columns"):
        similarity_maps(Tokens((8,)), _batches(2)[0])


def test_motion_lies_where_something_moves() -> None:
    frames = torch.full((1, 3, 3, 32, 32), 100, dtype=torch.uint8)
    frames[0, 1, :, 4:8, 20:24] = 250
    batch = Batch(torch.tensor([1]), torch.tensor([0]), {"frames": frames})
    motion = blind_maps(batch, (32, 32), (8, 8), seed=0)["motion"][0]
    row, column = divmod(int(motion.argmax()), 32)
    assert 2 <= row <= 10
    assert 18 <= column <= 26


def test_the_middle_frames_are_taken() -> None:
    batch = _batches(2, frames=5)[0]
    assert torch.equal(pictures_of(batch, 1)["frames"], batch["frames"][:, 2:3])
    assert torch.equal(pictures_of(batch, 3)["frames"], batch["frames"][:, 1:4])
    with pytest.raises(UsageError, match="5 frames per clip"):
        pictures_of(batch, 6)


# ------------------------------------------------------------------------------------------------- targets
@pytest.fixture(scope="module")
def world() -> clips.MemoryClips:
    made = memory_clips("base", "test", count=14, size=64, seconds=1.6, track="L", level=0)
    return clips.MemoryClips(
        clips.Clip(
            clip.id,
            duration_seconds=1.6,
            frames=clip.pixels,
            audio=(32767 * clip.waveform).round().astype(np.int16),
            truth=json.loads(json.dumps(clip.truth)),
        )
        for clip in made
    )


NEEDS = Needs(AudioNeed(1.6), FrameNeed(3, 64, 64))


def test_the_worlds_targets_are_its_boxes_at_the_frame_that_is_read(world: clips.MemoryClips) -> None:
    targets = world_targets(world, NEEDS, (64, 64))
    kinds = [target.negative for target in targets.values()]
    assert "" in kinds
    assert set(kinds) <= {"", "silent", "off-screen", "unseen"}
    for index, number in enumerate(world.ids.tolist()):
        target, truth = targets[number], world.truth(index)
        if target.truth is None:
            continue
        own = [body["boxes"][len(body["boxes"]) // 2] for body in truth["objects"] if body["sounding"]]
        expected = np.zeros((64, 64), bool)
        for box in own:
            x0, y0, x1, y1 = (int(64 * value) for value in box)
            expected[y0:y1, x0:x1] = True
        assert (target.truth.astype(bool) == expected).all()
        assert target.stratum == truth["localisation"]["stratum"]
        assert target.truth.mean() == pytest.approx(truth["localisation"]["area"], abs=0.05)


def test_ez_vsl_is_measured_on_the_world(world: clips.MemoryClips) -> None:
    torch.manual_seed(0)
    small = ConvNetConfig((4, 8), (4, 2), (4, 4))
    inputs = replace(Config().inputs, audio_seconds=1.6, image_height=64, image_width=64)
    method = EzVsl(Config(inputs=inputs, towers="convnet", convnet=small, width=6))
    judge = Objectness(ConvNet(3, (4, 8), (4, 2)))
    targets = world_targets(world, NEEDS)
    found = _by_name(method, clips.in_order(world, NEEDS, 5), targets, objectness=judge, untrained=method)
    assert method.training
    figure = found["localization/all/sound and objectness/CIoU"]
    floors = {"noise", "whole image", "centre disc", "motion", "objectness", "shuffled audio"}
    assert set(figure.baselines) == floors
    assert figure.ceiling is not None
    assert figure.value == figure.untrained
    assert figure.value <= figure.ceiling
    assert found["localization/all/sound/CIoU"].ceiling < 1  # some regions are too small for it
    assert "localization/negatives/AP" in found


class Masked(clips.MemoryClips):
    """Clips in memory that keep the world's masks, as a packed table does."""

    arrays: list[dict[str, np.ndarray]]

    def truth_arrays(self, index: int) -> dict[str, np.ndarray]:
        return self.arrays[index]


def test_masks_lie_within_the_boxes(world: clips.MemoryClips) -> None:
    made = list(memory_clips("base", "test", count=14, size=64, seconds=1.6, track="L", level=0))
    masked = Masked(world._clips)
    masked.arrays = [truth_arrays(clip, ("masks",)) for clip in made]
    boxes, masks = (world_targets(masked, NEEDS, (32, 32), region) for region in ("boxes", "masks"))
    seen = 0
    for row, (number, target) in enumerate(masks.items()):
        if target.truth is None:
            continue
        frame = made[row].masks.shape[1] // 2
        own = made[row].masks[[k for k, body in enumerate(made[row].truth["objects"]) if body["sounding"]], frame]
        assert (target.truth == own.any(axis=0)[1::2, 1::2]).all()
        inside = boxes[number].truth
        assert inside is not None
        assert target.truth[inside == 0].sum() <= 32  # corners of boxes are rounded down to pixels
        assert target.stratum == boxes[number].stratum
        seen += 1
    assert seen > 5
    with pytest.raises(UsageError, match="no masks are stored"):
        world_targets(world, NEEDS, region="masks")


def test_targets_that_cannot_be(world: clips.MemoryClips) -> None:
    cropped = Needs(frames=FrameNeed(1, 64, 64, "crop"))
    assert world_targets(world, cropped).keys() == world_targets(world, NEEDS).keys()  # square: nothing is cut off
    wide = replace(world._clips[0], frames=np.repeat(world._clips[0].frames, 2, axis=2))
    with pytest.raises(UsageError, match="are cropped"):
        world_targets(clips.MemoryClips([wide]), cropped)
    with pytest.raises(UsageError, match="no frames are read"):
        world_targets(world, Needs(AudioNeed(1.6)))
    with pytest.raises(UsageError, match="a truth, or why there is none"):
        Target(None)
    other = next(memory_clips("unit", "test", count=1))
    stranger = clips.MemoryClips([clips.Clip("a", duration_seconds=1.6, frames=other.pixels, truth=other.truth)])
    with pytest.raises(DataError, match="track A; expected track L"):
        world_targets(stranger, Needs(frames=FrameNeed(1, 64, 64)))


def test_published_boxes_become_targets(tmp_path) -> None:
    entry = {"file": "a_000010", "class": "dog", "bbox": [[0.5, 0.0, 1.0, 0.5]]}
    boxes = read_vgg_ss(write(tmp_path / "vggss.json", json.dumps([entry])))
    (number, target), *rest = published_targets(boxes, "union").items()
    assert number == stable_hash("a_000010")
    assert not rest
    assert target.truth is not None
    assert target.truth.shape == (224, 224)
    assert target.truth.mean() == 0.25
    half = published_targets(boxes, "consensus", (8, 8))[number].truth
    assert half is not None
    assert set(np.unique(half)) == {0.0, 0.5}


def test_a_dropout_layer_is_off_and_then_on_again() -> None:
    method = Listener()
    method.dropout = nn.Dropout(0.5)
    list(localization(method, _batches(), _targets()))
    assert method.training
