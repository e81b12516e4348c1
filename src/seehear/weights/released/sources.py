"""Where released weights lie. Nothing is bundled; a source without a link must be fetched by hand from its page.

Links and licences as their authors publish them; a licence is the repository's where none is stated for the weights.
"""

from collections.abc import Iterator

from seehear.configuration import unknown_name
from seehear.weights.released.source import Source as Source

HUB = "https://huggingface.co"
AVSIAM_PAGE = f"{HUB}/genjib/AVSiam"
CAV_MAE_PAGE = "https://github.com/YuanGongND/cav-mae"
DEEPAVFUSION_PAGE = "https://github.com/stoneMo/DeepAVFusion"
MAE_PAGE = "https://github.com/facebookresearch/mae"
BY_HAND = "the link is one of Google Drive: fetch it by hand from the page"
ONE_OR_TWO = "for one modality alone, option alone=average, as its authors test it without the other"
CAV_MAE = {
    "cav-mae-scale++": ("l5t5geufdy3qvnv/audio_model.21.pth", "batch 256, epoch 21; what its authors recommend"),
    "cav-mae-scale+": ("xu8bfie6hz86oev/audio_model.25.pth", "batch 108; the paper's"),
    "cav-mae-base": ("wxrjgr86gdhc5k8/cav-mae-base.pth", "batch 48; the paper's"),
    "cav-mae-base-nonorm": ("arrg7cb3e4hhjwu/cav-mae-base-nonorm.pth", "batch 48, raw targets; for in-painting"),
    "cav-mae-base-50": ("dgorer0ybdbnvgf/50.pth", "batch 48, 50 % masked"),
    "cav-mae-base-65": ("xmuyksqch6l6g87/65.pth", "batch 48, 65 % masked"),
    "cav-mae-base-85": ("y3o9zggpecmrbnu/85.pth", "batch 48, 85 % masked"),
    "cav-mae-base-tf": ("madv6ynuy5113zh/time_freq_75.pth", "batch 48, time-frequency masks"),
    "cav-mae-base-tf-50": ("nd7qlagn8je6zjn/time_freq_50.pth", "batch 48, time-frequency masks, 50 % masked"),
    "cav-mae-base-t": ("hfehd7m379ehr0y/time_75.pth", "batch 48, time masks"),
    "cav-mae-base-f": ("ad4fhzt6d3xre5p/freq_75.pth", "batch 48, frequency masks"),
    "cav-mae-base-c0.001": ("4j4qyiyjcmbtc6u/cav-mae-base-c0.001.pth", "batch 48, contrast weighted 0.001"),
    "cav-mae-base-c0.1": ("wf54ver9rs9fl1b/cav-mae-base-c0.1.pth", "batch 48, contrast weighted 0.1"),
    "cav-mae-scale+-one-way": ("mvhmg7eda410phr/single_direction.pth", "batch 120, one-way contrast"),
    "cav-mae-scale+-two-way": ("ute6ydkw4hdv7rn/symc.pth", "batch 120, two-way contrast"),
}
"""Path of the link and training by name; AudioSet-2M, 75 % masked at random where nothing else is said."""
CAV_MAE_FINETUNED = {
    "cav-mae-as2m": ("hejj49zdgyyfsuh/as-full-51.2.pth", "AudioSet-2M, both modalities, 51.2 mAP"),
    "cav-mae-as20k": ("9x6y642so3zve5y/as-20k-42.0.pth", "AudioSet-20K, both modalities, 42.0 mAP"),
    "cav-mae-vggsound": ("f4wrbxv2unewss9/vgg_65.5.pth", "VGGSound, both modalities, 65.5 % correct"),
    "cav-mae-vggsound-twice": (
        "q66s3mu526mj2x6/vgg_66.0.pth",
        "VGGSound, both modalities, pretrained on it too, 65.9 % correct",
    ),
    "cav-mae-as2m-audio": ("itfw7p0ueq7z9og/as_46.6.pth", "AudioSet-2M, sound alone, 46.6 mAP"),
    "cav-mae-as20k-audio": ("pariabyh1iyayda/as_37.7.pth", "AudioSet-20K, sound alone, 37.7 mAP"),
    "cav-mae-vggsound-audio": ("l4rj0sgpnt08bp2/vgg_59.8.pth", "VGGSound, sound alone, 59.8 % correct"),
}
TIMM = {
    "vit_tiny_patch16_224.augreg_in21k": "ViT-Ti/16, ImageNet-21k",
    "vit_small_patch16_224.augreg_in21k": "ViT-S/16, ImageNet-21k",
    "vit_base_patch16_224.augreg_in21k": "ViT-B/16, ImageNet-21k; AVSiam Base starts from it",
    "vit_base_patch16_224.augreg2_in21k_ft_in1k": "ViT-B/16, ImageNet-21k then 1k; AVSiam's file called CLIP has it",
    "vit_large_patch16_224.augreg_in21k": "ViT-L/16, ImageNet-21k; AVSiam Large starts from it",
    "vit_huge_patch14_224.orig_in21k": "ViT-H/14, ImageNet-21k; AVSiam Huge starts from it",
    "vit_small_patch14_dinov2.lvd142m": "ViT-S/14, DINOv2, pictures of 518",
    "vit_base_patch14_dinov2.lvd142m": "ViT-B/14, DINOv2, pictures of 518",
    "vit_large_patch14_dinov2.lvd142m": "ViT-L/14, DINOv2, pictures of 518",
    "vit_base_patch14_reg4_dinov2.lvd142m": "ViT-B/14 with 4 registers, DINOv2, pictures of 518",
}
EZ_VSL_PAGE = "https://github.com/stoneMo/EZ-VSL"
EZ_VSL = {
    "flickr-10k": "Flickr-SoundNet, 10,000 clips",
    "flickr-144k": "Flickr-SoundNet, 144,000 clips",
    "vggsound-10k": "VGGSound, 10,000 clips",
    "vggsound-144k": "VGGSound, 144,000 clips",
    "vggsound-full": "VGGSound, all clips",
    "heard-110": "VGGSound, 110 of its classes",
}
MAE_MD5 = {"base": "8cad7c", "large": "b8b06e", "huge": "9bdbb0"}


def source(name: str) -> Source:
    """The source of that name.

    Raises:
        UsageError: if there is none.
    """
    if name not in SOURCES:
        raise unknown_name(f"source {name!r}", name, SOURCES)
    return SOURCES[name]


def _avsiam() -> Iterator[Source]:
    for name, what, file in (
        ("avsiam-base", "ViT-B/16, AudioSet-2M, epoch 20", "as2m_pretrained.20.pth"),
        ("avsiam-base+", "ViT-B/16, AudioSet-2M, VGGSound and ACAV-2.4M", "as%2Bvgg%2Bacav_pretrained.pth"),
    ):
        yield Source(
            name,
            "avsiam",
            what,
            AVSIAM_PAGE,
            "MIT",
            url=f"{AVSIAM_PAGE}/resolve/main/{file}",
            note="holds neither the separate audio trunk nor fusion blocks" if name == "avsiam-base" else "",
            evidence="https://github.com/GenjiB/AVSiam",
        )
    yield Source(
        "jx_vit_base_patch16_224_in21k",
        "vit-timm",
        "ViT-B/16, ImageNet-21k, as the original authors trained it; AVSiam's alternative start",
        "https://github.com/huggingface/pytorch-image-models",
        "Apache-2.0",
        url="https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-vitjx/"
        "jx_vit_base_patch16_224_in21k-e5005f0a.pth",
        digest="sha256:e5005f0a",
        options={"statistics": "half"},
        note=f"also at {AVSIAM_PAGE}",
    )


def _cav_mae() -> Iterator[Source]:
    for name, (path, what) in CAV_MAE.items():
        raw = {"per_patch_targets": False} if name.endswith("nonorm") else {}
        yield _dropbox(name, "cav-mae", f"ViT-B/16 twice, AudioSet-2M, {what}", path, options=raw)
    for name, (path, what) in CAV_MAE_FINETUNED.items():
        note = "" if name.endswith("audio") else ONE_OR_TWO
        yield _dropbox(name, "cav-mae-finetuned", f"CAV-MAE Scale+ fine-tuned on {what}", path, note=note)


def _dropbox(name: str, layout: str, what: str, path: str, **others: object) -> Source:
    link = f"https://www.dropbox.com/s/{path}?dl=1"
    return Source(name, layout, what, CAV_MAE_PAGE, "BSD 2-Clause", url=link, **others)  # type: ignore[arg-type]


def _pictures() -> Iterator[Source]:
    for name, what in TIMM.items():
        statistics = {"statistics": "imagenet" if "dinov2" in name else "half"}
        link = f"{HUB}/timm/{name}/resolve/main/model.safetensors"
        yield Source(name, "vit-timm", what, f"{HUB}/timm/{name}", "Apache-2.0", url=link, options=statistics)
    for size, md5 in MAE_MD5.items():
        yield Source(
            f"mae-{size}",
            "mae",
            f"ViT-{size[0].upper()}, ImageNet-1k, encoder alone",
            MAE_PAGE,
            "CC-BY-NC 4.0",
            url=f"https://dl.fbaipublicfiles.com/mae/pretrain/mae_pretrain_vit_{size}.pth",
            digest=f"md5:{md5}",
        )


def _by_hand() -> Iterator[Source]:
    yield Source(
        "audiomae",
        "audiomae",
        "ViT-B/16 on spectrograms, AudioSet-2M, pretrained",
        "https://github.com/facebookresearch/AudioMAE",
        "CC-BY-NC 4.0",
        note=f"{BY_HAND}; the licence is its LICENSE's, its README says CC-BY 4.0",
    )
    yield Source(
        "mavil",
        "mavil",
        "ViT-B twice and two blocks over both, AudioSet; no adapter here reads it",
        "https://github.com/roger-tseng/av-superb",
        "CC-BY-NC 4.0",
        note=BY_HAND,
        evidence="https://github.com/facebookresearch/MAViL",
    )


def _localisation() -> Iterator[Source]:
    yield Source(
        "resnet18-imagenet",
        "resnet18",
        "ResNet-18, ImageNet-1k; EZ-VSL's picture tower starts from it, and it judges what is an object",
        "https://docs.pytorch.org/vision/stable/models.html",
        "BSD 3-Clause",
        url="https://download.pytorch.org/models/resnet18-f37072fd.pth",
        digest="sha256:f37072fd",
    )
    for name, what in EZ_VSL.items():
        yield Source(
            f"ez-vsl-{name}",
            "ez-vsl",
            f"two ResNet-18, {what}; best.pth",
            EZ_VSL_PAGE,
            "not stated",
            note=f"{BY_HAND}; the epoch that its authors chose by the test set; object-guided maps need "
            "resnet18-imagenet besides",
        )


def _early_fusion() -> Iterator[Source]:
    for name, what, folder, size in (
        ("vggsound", "VGGSound, keys at a quarter of the width", "vggsound", 1_282_543_933),
        ("as2m", "AudioSet-2M, full-width keys", "as2m", 1_516_280_189),
    ):
        yield Source(
            f"deepavfusion-{name}",
            "deepavfusion",
            f"ViT-B/16 twice and 32 fusion tokens, {what}, epoch 200",
            DEEPAVFUSION_PAGE,
            "not stated",
            size=size,
            note="in its authors' repository by Git LFS (git lfs pull there): checkpoints/deepavfusion_vitb_"
            f"{folder}_ep200/checkpoints/checkpoint_latest.pth; a clone without LFS holds pointers of 135 bytes",
        )


SOURCES = {
    each.name: each
    for part in (_avsiam(), _cav_mae(), _pictures(), _localisation(), _early_fusion(), _by_hand())
    for each in part
}
