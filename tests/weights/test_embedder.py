"""Embedding any batches: in order, dense, the same whatever came together; as near as said in bf16 and int8."""

import copy
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from seehear.contracts import AudioNeed, Batch, Features, FrameNeed, Method, Needs
from seehear.errors import UsageError
from seehear.layers.inputs import InputConfig
from seehear.methods.avsiam import AVSiam, Config, ReconstructionConfig
from seehear.weights import Embedder, Forward, Trial, quickest, try_precisions
from seehear.weights.int8 import Int8Linear

SECONDS, SIDE = 0.64, 32
SAMPLES = round(SECONDS * 16_000)
INPUTS = InputConfig(audio_seconds=SECONDS, mel_bins=32, audio_frames=64, image_height=SIDE, image_width=SIDE)
SMALL = Config(
    inputs=INPUTS, width=64, depth=3, heads=4, reconstruction=ReconstructionConfig(width=32, depth=1, heads=4)
)


@pytest.fixture(scope="module")
def model() -> AVSiam:
    torch.manual_seed(0)
    return AVSiam(SMALL).eval()


def clips(count: int, seed: int = 0, samples: int = SAMPLES) -> dict[str, Tensor]:
    """Noise of different loudness and colour."""
    generator = torch.Generator().manual_seed(seed)
    loud = torch.logspace(2, 4, count)[:, None] if count else torch.zeros(0, 1)
    return {
        "waveform": (torch.randn(count, samples, generator=generator) * loud).clamp(-32768, 32767).to(torch.int16),
        "waveform_samples": torch.full((count,), samples),
        "frames": torch.randint(0, 256, (count, 1, 3, SIDE, SIDE), generator=generator).to(torch.uint8),
    }


def batches(fields: dict[str, Tensor], sizes: list[int]) -> Iterator[Batch]:
    start = 0
    for size in sizes:
        part = slice(start, start + size)
        numbers = torch.arange(start, start + len(next(iter(fields.values()))[part]))
        yield Batch(numbers, numbers, {name: value[part] for name, value in fields.items()})
        start += size


def gathered(found: list[tuple[Batch, dict]], modality: str) -> Tensor:
    return torch.cat([vectors[modality].embedding for _, vectors in found])


def one_by_one(model: Method, fields: dict[str, Tensor], modality: str) -> Tensor:
    """The plain loop: every clip in a pass of its own."""
    with torch.no_grad():
        count = len(next(iter(fields.values())))
        return torch.cat([model.encode(batch)[modality].embedding for batch in batches(fields, [1] * count)])


@pytest.fixture(scope="module")
def alone(model: AVSiam) -> dict[str, Tensor]:
    """Twenty clips, each embedded in a pass of its own."""
    return {modality: one_by_one(model, clips(20), modality) for modality in ("audio", "image")}


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 7), st.integers(1, 20))
def test_batches_come_back_in_order_whatever_the_passes(model, alone, sizes, per_pass, hold):
    given_batches = list(batches(clips(20), sizes))
    found = list(Embedder(model, clips=per_pass, hold=hold)(given_batches))
    assert [batch.sample_ids.tolist() for batch, _ in found] == [b.sample_ids.tolist() for b in given_batches]
    for modality in ("audio", "image"):
        torch.testing.assert_close(gathered(found, modality), alone[modality][: sum(sizes)], atol=1e-6, rtol=0)
        assert all(vectors[modality].present.all() for _, vectors in found)


@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=pytest.mark.full)])
def test_equal_bits_whatever_comes_together(model, threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        fields = clips(13)
        order = np.random.default_rng(1).permutation(13)
        shuffled = {name: value[order] for name, value in fields.items()}
        for precision in ("fp32", "bf16", "int8"):
            embedder = Embedder(model, precision=precision, clips=4)
            whole, parts, mixed = (
                list(embedder(batches(f, sizes)))
                for f, sizes in ((fields, [13]), (fields, [1, 5, 2, 5]), (shuffled, [7, 6]))
            )
            for modality in ("audio", "image"):
                expected = gathered(whole, modality)
                assert torch.equal(gathered(parts, modality), expected), (precision, modality)
                assert torch.equal(gathered(mixed, modality), expected[order]), (precision, modality)
    finally:
        torch.set_num_threads(before)


class Counting(AVSiam):
    """Remembers the clips and the fields of every pass."""

    def __init__(self, config: Config):
        super().__init__(config)
        self.passes: list[tuple[int, str]] = []

    def encode(self, batch: Batch, with_layers: bool = False) -> dict[str, Features]:
        self.passes.append((len(batch), "+".join(sorted(batch.fields))))
        return super().encode(batch, with_layers)


def test_passes_are_full_across_batches():
    model = Counting(SMALL)
    list(Embedder(model, clips=4)(batches(clips(12), [1] * 12)))
    assert sorted(model.passes) == [(4, "frames")] * 3 + [(4, "waveform+waveform_samples")] * 3
    model.passes.clear()
    list(Embedder(model, clips=4, fill=False)(batches(clips(6), [3, 3])))
    assert sorted(size for size, _ in model.passes) == [2, 2, 4, 4]
    model.passes.clear()
    list(Embedder(model, clips=4)(batches(clips(6), [3, 3])))
    assert {size for size, _ in model.passes} == {4}


def test_clips_without_a_modality_cost_nothing_and_are_zero():
    model = Counting(SMALL)
    fields = clips(8)
    fields["has_audio"] = torch.tensor([1, 0, 1, 0, 0, 1, 0, 1]).bool()
    fields["has_image"] = torch.tensor([1, 1, 0, 1, 1, 1, 0, 1]).bool()
    found = list(Embedder(model, clips=2)(batches(fields, [3, 4, 1])))
    assert [name for _, name in model.passes].count("frames") == 3
    assert [name for _, name in model.passes].count("waveform+waveform_samples") == 2
    for modality in ("audio", "image"):
        present = fields[f"has_{modality}"]
        assert torch.equal(torch.cat([v[modality].present for _, v in found]), present)
        expected = torch.where(present[:, None], one_by_one(model, fields, modality), 0.0)
        torch.testing.assert_close(gathered(found, modality), expected, atol=1e-6, rtol=0)


def test_what_no_clip_of_a_batch_has_is_left_out(model):
    fields = clips(2) | {"has_audio": torch.zeros(2, dtype=torch.bool)}
    assert [list(found) for _, found in Embedder(model)(batches(fields, [2]))] == [["image"]]
    bare = Batch(torch.arange(3), torch.arange(3))
    assert list(Embedder(model)([bare])) == [(bare, {})]


def test_lengths_share_a_bucket_up_to_what_the_method_reads():
    model = Counting(SMALL)
    short, right, long = clips(2, 1, SAMPLES // 2), clips(3, 2), clips(2, 3, SAMPLES * 2)
    for fields in (short, right, long):
        del fields["frames"]
    mixed = [next(batches(fields, [9])) for fields in (short, long, right)]
    found = list(Embedder(model, clips=5)(mixed))
    assert model.passes == [(5, "waveform+waveform_samples")] * 2  # 2 short and 3 right ones, and the long ones filled
    for (_, vectors), fields in zip(found, (short, long, right), strict=True):
        torch.testing.assert_close(vectors["audio"].embedding, one_by_one(model, fields, "audio"), atol=1e-6, rtol=0)


def test_no_more_than_asked_for_waits():
    model = Counting(SMALL)
    rare, common = clips(1, 1, SAMPLES * 2), clips(40, 2)
    del rare["frames"]
    taken = 0

    def stream() -> Iterator[Batch]:
        nonlocal taken
        yield next(batches(rare, [1]))
        for batch in batches(common, [1] * 40):
            taken += 1
            yield batch

    outcome = Embedder(model, clips=4, hold=10)(stream())
    next(outcome)
    assert taken <= 11  # the rare clip did not wait for a full pass of its kind
    assert len(list(outcome)) == 40


def test_nothing_in_nothing_out_and_one_clip(model):
    assert list(Embedder(model)([])) == []
    (one,) = Embedder(model)(batches(clips(1), [1]))
    assert one[1]["audio"].embedding.shape == (1, 64)
    empty = next(batches(clips(0), [1]))
    assert list(Embedder(model)([empty])) == [(empty, {})]


def test_audiovisual_comes_from_one_pass():
    model = Counting(SMALL)
    fields = clips(6) | {"has_audio": torch.tensor([1, 1, 0, 1, 1, 1]).bool()}
    found = list(Embedder(model, clips=5, modalities=("audio", "image", "audiovisual"))(batches(fields, [6])))
    assert model.passes == [(5, "frames+waveform+waveform_samples"), (5, "frames")]
    present = fields["has_audio"]
    for modality in ("audio", "audiovisual", "image"):
        expected = one_by_one(model, fields, modality)
        if modality != "image":
            expected = torch.where(present[:, None], expected, 0.0)
        torch.testing.assert_close(gathered(found, modality), expected, atol=1e-6, rtol=0)


def test_the_network_is_as_before(model):
    trained, state = model.train(), copy.deepcopy(model.state_dict())
    try:
        for precision in ("fp32", "bf16", "int8"):
            (found,) = Embedder(trained, precision=precision)(batches(clips(2), [2]))
            assert all(module.training for module in trained.modules())
            assert not torch.is_inference(found[1]["audio"].embedding)  # may be used in a graph
        assert all(torch.equal(value, state[name]) for name, value in trained.state_dict().items())
        assert all(p.dtype == torch.float32 and p.requires_grad for p in trained.parameters())
    finally:
        model.eval()


@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_lower_precision_stays_near(model, precision):
    fields = clips(12)
    exact, near = (list(Embedder(model, precision=p)(batches(fields, [12]))) for p in ("fp32", precision))
    for modality in ("audio", "image"):
        one, other = gathered(exact, modality), gathered(near, modality)
        assert other.dtype == torch.float32
        assert not torch.equal(one, other)
        assert torch.cosine_similarity(one, other).min() >= 0.999
        torch.testing.assert_close(other.norm(dim=1), torch.ones(12), atol=1e-4, rtol=0)


def test_bf16_converts_linear_layers_once_and_shares_nothing(model):
    forward = Forward(model, "bf16")
    for name, parameter in forward.method.named_parameters():
        owner = forward.method.get_submodule(name.rsplit(".", 1)[0])
        assert parameter.dtype == (torch.bfloat16 if isinstance(owner, nn.Linear) else torch.float32), name
    assert not {p.data_ptr() for p in model.parameters()} & {p.data_ptr() for p in forward.method.parameters()}


@given(st.integers(1, 40), st.integers(2, 33), st.integers(1, 9), st.booleans(), st.integers(0, 999))
@settings(deadline=None, max_examples=40)
def test_int8_equals_the_sum_written_out(tokens, width, outputs, bias, seed):
    torch.manual_seed(seed)
    linear, x = nn.Linear(width, outputs, bias=bias), torch.randn(tokens, width) * 3
    x[0] = 0

    def rounded(values: Tensor) -> tuple[Tensor, Tensor]:
        scale = values.abs().amax(1, keepdim=True) / 127
        return torch.where(scale > 0, values / scale, 0).round().double(), scale.double()

    (weight, weight_scale), (inputs, input_scale) = rounded(linear.weight.detach()), rounded(x)
    expected = (inputs @ weight.T) * input_scale * weight_scale.T
    if bias:
        expected += linear.bias.detach().double()
    found = Int8Linear(linear)(x)
    torch.testing.assert_close(found, expected.float(), rtol=1e-5, atol=1e-5)
    assert (found - linear(x)).norm() <= 0.03 * linear(x).norm() + 1e-6
    assert torch.equal(Int8Linear(linear)(x.view(1, tokens, width))[0], found)


def test_auto_takes_the_quickest_that_stays_near():
    trials = [Trial("fp32", 4.0, 1.0), Trial("bf16", 2.0, 0.9995), Trial("int8", 1.0, 0.998)]
    assert quickest(trials) == "bf16"
    assert quickest(trials, least_cosine=0.9) == "int8"
    assert quickest([Trial("fp32", 1.0, 1.0), Trial("bf16", 2.0, 1.0)]) == "fp32"
    assert quickest([Trial("fp32", 2.0, float("nan")), Trial("bf16", 1.0, float("nan"))]) == "fp32"


def test_auto_measures_on_the_clips_it_is_given(model):
    embedder = Embedder(model, precision="auto")
    assert embedder.precision is None
    list(embedder(batches(clips(3), [3])))
    assert [trial.precision for trial in embedder.trials] == ["fp32", "bf16", "int8"]
    assert embedder.precision == quickest(embedder.trials)
    assert embedder.trials[0].cosine == pytest.approx(1.0)
    assert all(trial.seconds > 0 and 0.99 < trial.cosine <= 1 + 1e-6 for trial in embedder.trials)


def test_bad_arguments_are_refused(model):
    with pytest.raises(UsageError, match="fp16"):
        Embedder(model, precision="fp16")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="0 clips per pass"):
        Embedder(model, clips=0)
    with pytest.raises(UsageError, match="0 held"):
        Embedder(model, hold=0)
    with pytest.raises(UsageError, match="no clips"):
        try_precisions(model, [])
    with pytest.raises(UsageError, match="int8 on meta"):
        Forward(AVSiam(SMALL).to("meta"), "int8")


class Reader(Method):
    """Reads pictures only, of any size, and gives their mean colour."""

    @property
    def needs(self) -> Needs:
        return Needs(frames=FrameNeed(1, SIDE, SIDE), audio=None if self.deaf else AudioNeed(SECONDS))

    def __init__(self, deaf: bool = True):
        super().__init__()
        self.deaf = deaf

    def encode(self, batch: Batch, with_layers: bool = False) -> dict[str, Features]:
        pooled = batch["frames"].float().mean(dim=(1, 3, 4))
        return {"image": Features(pooled[:, None], (1,), pooled, nn.functional.normalize(pooled, dim=1))}


def test_only_what_the_method_reads_is_asked_for():
    wide, tall = clips(3, 1), clips(2, 2)
    tall["frames"] = torch.cat([tall["frames"], tall["frames"]], dim=3)
    stream = [next(batches(fields, [3])) for fields in (wide, tall, wide)]
    found = list(Embedder(Reader(), clips=2)(stream))
    assert [list(vectors) for _, vectors in found] == [["image"]] * 3
    torch.testing.assert_close(found[1][1]["image"].pooled, tall["frames"].float().mean(dim=(1, 3, 4)))
    assert torch.equal(found[0][1]["image"].pooled, found[2][1]["image"].pooled)
