"""AVSiam's and CAV-MAE's layouts: equal to the equations with the published quirks, every key accounted for."""

import pytest
import torch

from seehear.errors import DataError, UsageError
from seehear.weights import from_released
from tests.weights import published
from tests.weights.published import Oracle, cut, difference

ENOUGH = 1e-5
SIZES = {"heads": 1, "decoder_heads": published.DRAWING_HEADS}


class AvsiamOracle(Oracle):
    """Doubled embeddings, norms of each modality, the separate audio trunk, audio norms in the fusion blocks."""

    def embedded(self, values, letter):
        name = "vit_base.patch_embed_a" if letter == "a" else "vit_base.patch_embed"
        position = self.state["vit_base.pos_embed_a"] if letter == "a" else self.state["vit_base.pos_embed"][:, 1:]
        return 2 * (self.patches(values, name) + position)

    def features(self, values, letter):
        x = self.stack(self.embedded(values, letter), "vit_base.blocks.", f"_{letter}")
        return self.norm(x, "vit_base.norm_a" if letter == "a" else "vit_base.norm", eps=1e-6)

    def fused(self, parts):
        x = torch.cat(parts, 1)
        if "mm_layer_1.norm1.weight" in self.state:
            return self.block(self.block(x, "mm_layer_1.", "_a"), "mm_layer_2.", "_a")
        return self.block(self.block(x, "vit_base.blocks.1.", "_a"), "vit_base.blocks.2.", "_a")

    def both(self, spectrogram, image):
        sound, picture = self.features(spectrogram, "a"), self.features(image, "v")
        x = self.fused([sound, picture])
        return self.head(torch.cat([x[:, :512].mean(1), x[:, 512:].mean(1)], -1), "mlp_head_mm")

    def losses(self, spectrogram, image, masks):
        seen = {}
        for letter, values in (("a", spectrogram), ("v", image)):
            tokens = self.embedded(values, letter)
            x = torch.stack([own[mask == 0] for own, mask in zip(tokens, masks[letter], strict=True)])
            if letter == "a" and "ast_base.norm_a.weight" in self.state:
                seen[letter] = self.norm(self.stack(x, "ast_base.blocks."), "ast_base.norm_a", eps=1e-6)
            else:
                name = "vit_base.norm_a" if letter == "a" else "vit_base.norm"
                seen[letter] = self.norm(self.stack(x, "vit_base.blocks.", f"_{letter}"), name, eps=1e-6)
        targets = {"a": cut(spectrogram), "v": cut(image)}
        return self.reconstruction(self.fused([seen["a"], seen["v"]]), masks, targets, standardised=False)


class CavMaeOracle(Oracle):
    """Neutral norms in the trunks, then the joint blocks with the norms of the pass."""

    def branch(self, values, letter, mask=None):
        x = self.patches(values, f"patch_embed_{letter}") + self.state[f"pos_embed_{letter}"]
        x = x + self.state[f"modality_{letter}"]
        if mask is not None:
            x = torch.stack([own[m == 0] for own, m in zip(x, mask, strict=True)])
        return self.stack(x, f"blocks_{letter}.")

    def joint(self, x, suffix):
        return self.norm(self.stack(x, "blocks_u.", suffix), f"norm{suffix}")

    def features(self, values, letter):
        return self.joint(self.branch(values, letter), f"_{letter}")

    def both(self, spectrogram, image):
        return self.joint(torch.cat([self.branch(spectrogram, "a"), self.branch(image, "v")], 1), "")

    def losses(self, spectrogram, image, masks, standardised):
        parts = [self.branch(spectrogram, "a", masks["a"]), self.branch(image, "v", masks["v"])]
        targets = {"a": cut(spectrogram), "v": cut(image)}
        return self.reconstruction(self.joint(torch.cat(parts, 1), ""), masks, targets, standardised)


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "as released"])
def test_avsiam_pretraining_file(whole):
    state = published.avsiam(whole=whole)
    encoder, oracle = from_released("avsiam", state, **SIZES), AvsiamOracle(state)
    spectrogram, image = published.inputs()
    masks = published.masks()
    features = encoder.forward_features(spectrogram, image)
    losses = encoder.reconstruction_losses(spectrogram, image, masks["a"], masks["v"])
    expected = oracle.losses(spectrogram, image, masks)
    assert not encoder.training
    assert difference(features["audio"], oracle.features(spectrogram, "a")) < ENOUGH
    assert difference(features["image"], oracle.features(image, "v")) < ENOUGH
    assert all(difference(losses[m], expected[m]) < ENOUGH for m in ("audio", "image"))
    assert bool(encoder.reading.missing) != whole
    with pytest.raises(UsageError, match="class heads"):
        encoder.classify(spectrogram)


def test_avsiam_fine_tuned_file_with_one_frame_and_several():
    state = published.avsiam_finetuned()
    encoder, oracle = from_released("avsiam-finetuned", state, heads=1), AvsiamOracle(state)
    spectrogram, frames = published.inputs(frames=3)
    logits = encoder.classify(spectrogram, frames)
    assert {m: tuple(v.shape) for m, v in logits.items()} == {
        "audio": (2, 7), "image": (2, 3, 7), "audiovisual": (2, 3, 7)
    }  # fmt: skip
    assert difference(logits["audio"], oracle.head(oracle.features(spectrogram, "a").mean(1), "mlp_head_a")) < ENOUGH
    for t in range(3):
        picture = oracle.head(oracle.features(frames[:, t], "v").mean(1), "mlp_head")
        assert difference(logits["image"][:, t], picture) < ENOUGH
        assert difference(logits["audiovisual"][:, t], oracle.both(spectrogram, frames[:, t])) < ENOUGH
    alone = encoder.classify(image=frames[:, 0])
    assert set(alone) == {"image"}
    assert difference(alone["image"], oracle.head(oracle.features(frames[:, 0], "v").mean(1), "mlp_head")) < ENOUGH
    with pytest.raises(UsageError, match="no decoder"):
        encoder.reconstruction_losses(spectrogram, frames[:, 0], *published.masks().values())


def test_huge_fine_tuned_files_average_the_logits_of_both():
    encoder = from_released("avsiam-finetuned", published.avsiam_finetuned(together=False), heads=1)
    logits = encoder.classify(*published.inputs())
    torch.testing.assert_close(logits["audiovisual"], (logits["audio"] + logits["image"]) / 2)
    assert "mlp_head_mm.*" in encoder.reading.missing


@pytest.mark.parametrize("standardised", [True, False])
def test_cav_mae_pretraining_file(standardised):
    state = published.cav_mae()
    encoder, oracle = from_released("cav-mae", state, per_patch_targets=standardised, **SIZES), CavMaeOracle(state)
    spectrogram, image = published.inputs()
    masks = published.masks()
    features = encoder.forward_features(spectrogram, image)
    losses = encoder.reconstruction_losses(spectrogram, image, masks["a"], masks["v"])
    expected = oracle.losses(spectrogram, image, masks, standardised)
    assert difference(features["audio"], oracle.features(spectrogram, "a")) < ENOUGH
    assert difference(features["image"], oracle.features(image, "v")) < ENOUGH
    assert all(difference(losses[m], expected[m]) < ENOUGH for m in ("audio", "image"))


def test_cav_mae_fine_tuned_file_and_a_missing_modality():
    state = published.cav_mae(classes=5)
    oracle, (spectrogram, image) = CavMaeOracle(state), published.inputs()
    logits = from_released("cav-mae-finetuned", state, heads=1).classify(spectrogram, image)
    assert difference(logits["audiovisual"], oracle.head(oracle.both(spectrogram, image).mean(1), "mlp_head")) < ENOUGH
    for modality, letter, values in (("audio", "a", spectrogram), ("image", "v", image)):
        own = oracle.features(values, letter).mean(1)
        assert difference(logits[modality], oracle.head(own, "mlp_head")) < ENOUGH
        neutral = oracle.joint(oracle.branch(values, letter), "").mean(1)
        missing = from_released("cav-mae-finetuned", state, alone="average", heads=1).classify(
            spectrogram if letter == "a" else None, image if letter == "v" else None
        )
        assert difference(missing[modality], oracle.head((own + neutral) / 2, "mlp_head")) < ENOUGH


def test_clips_may_lack_different_numbers_of_patches():
    state = published.cav_mae()
    encoder = from_released("cav-mae", state, **SIZES)
    spectrogram, image = published.inputs(clips=3)
    ranks = {letter: published.masks(3)[letter].cumsum(1) for letter in "av"}
    masks = {m: torch.stack([(own > 0) & (own <= 3 + i) for i, own in enumerate(r)]).float() for m, r in ranks.items()}
    found = encoder.reconstruction_losses(spectrogram, image, masks["a"], masks["v"])
    for modality, letter in (("audio", "a"), ("image", "v")):
        counts = masks[letter].sum(1)
        each = [
            encoder.reconstruction_losses(*(t[i : i + 1] for t in (spectrogram, image, masks["a"], masks["v"])))
            for i in range(3)
        ]
        expected = sum(own[modality] * count for own, count in zip(each, counts, strict=True)) / counts.sum()
        torch.testing.assert_close(found[modality], expected)


FILES = {
    "avsiam": published.avsiam,
    "avsiam-finetuned": published.avsiam_finetuned,
    "cav-mae": published.cav_mae,
    "cav-mae-finetuned": lambda: published.cav_mae(classes=3),
}


@pytest.mark.parametrize("layout", FILES)
def test_every_key_is_used_a_duplicate_or_unused_by_name(layout):
    state = {name.removeprefix("module."): value for name, value in FILES[layout]().items()} | {
        "odd.key": torch.ones(2)
    }
    reading = from_released(layout, state).reading
    accounted = [*reading.used, *reading.duplicates, *reading.unused]
    assert sorted(accounted) == sorted(state)
    assert all(reading.unused.values())
    assert "odd.key" in reading.unused


def test_a_copy_that_differs_from_its_original_is_refused():
    state = published.avsiam()
    state["module.my_blocks.1.mlp.fc1.bias"] = state["module.my_blocks.1.mlp.fc1.bias"] + 1
    with pytest.raises(DataError, match=r"my_blocks\.1\.mlp\.fc1\.bias"):
        from_released("avsiam", state)


@pytest.mark.parametrize("layout", FILES)
def test_all_that_is_missing_or_misshapen_is_named(layout):
    state = FILES[layout]()
    lost = [name for name in state if name.endswith("0.attn.proj.weight") and "my_" not in name][:2]
    for name in lost:
        del state[name]
        state.pop(name.replace("vit_base.blocks", "my_blocks"), None)
    with pytest.raises(DataError) as caught:
        from_released(layout, state)
    assert all(name.removeprefix("module.") in str(caught.value) for name in lost)
    state = FILES[layout]()
    name = next(name for name in state if name.endswith("0.mlp.fc1.weight"))
    state[name] = state[name][:-1]
    with pytest.raises(DataError):
        from_released(layout, state)


def test_inputs_and_masks_that_do_not_fit_are_refused():
    encoder = from_released("cav-mae", published.cav_mae(), **SIZES)
    spectrogram, image = published.inputs()
    masks = published.masks()
    for call in (
        encoder.forward_features,
        lambda: encoder.forward_features(spectrogram[:, :1000]),
        lambda: encoder.forward_features(image=image[:, :2]),
        lambda: encoder.forward_features(image=image.to(torch.uint8)),
        lambda: encoder.reconstruction_losses(spectrogram, image, masks["v"], masks["v"]),
        lambda: encoder.reconstruction_losses(spectrogram, image, torch.ones_like(masks["a"]), masks["v"]),
        lambda: encoder.reconstruction_losses(spectrogram, image, torch.zeros_like(masks["a"]), masks["v"]),
    ):
        with pytest.raises(UsageError):
            call()
