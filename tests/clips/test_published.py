"""Published lists: which files are taken for their clips, which subsets are drawn, and what the report tells."""

import hashlib
import json
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seehear import clips
from seehear.clips.published import (
    ClassList,
    ListedClip,
    PublishedList,
    Wishes,
    assemble,
    read_list,
    retrieval_subset,
    write_manifest,
)
from seehear.clips.published.gallery import short_classes
from seehear.clips.published.media_names import Located, MediaFolder
from seehear.clips.published.report import DatasetReport
from seehear.clips.published.wishes import Files
from seehear.clips.subset_hash import subset_hash
from seehear.errors import DataError, UsageError
from tests.clips.published_lists import DOG, SPEECH, WOMAN, class_list, make_clip, segments, write

# ------------------------------------------------------------------------------------------------------- names of files
TIMED = ListedClip("-abc", "-abc", (), 1, 30.0, 40.0)
VGG = ListedClip("-abc_000030", "-abc", (), 1, 30.0, 40.0)
UNTIMED = ListedClip("-abc", "-abc", (), 1, stem="Y-abc.x")


def touched(folder: Path, *names: str) -> MediaFolder:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return MediaFolder(folder)


@pytest.mark.parametrize(
    ("clip", "name", "timed"),
    [
        (TIMED, "-abc.mp4", False),
        (TIMED, "Y-abc.wav", False),
        (TIMED, "train/08/-abc.MKV", False),
        (TIMED, "-abc_30_40.mp4", True),
        (TIMED, "-abc_30000_40000.webm", True),
        (TIMED, "Y-abc_30.000_40.000.mp4", True),
        (TIMED, "-abc_000030.mp4", True),
        (TIMED, "-abc_000030_000040.mp4", True),
        (TIMED, "-abc_30.flac", True),
        (TIMED, "-abc_30.000.flac", True),
        (VGG, "-abc_000030.mp4", True),
        (VGG, "-abc_30_40.mp4", True),
        (VGG, "-abc.mp4", False),
        (UNTIMED, "Y-abc.x.mp4", True),
        (UNTIMED, "-abc_30_40.mp4", True),
        (UNTIMED, "Y-abc_000007.mp4", True),
    ],
)
def test_usual_names_are_found(clip: ListedClip, name: str, timed: bool, tmp_path: Path) -> None:
    assert touched(tmp_path, name, "other.mp4").find(clip) == Located(tmp_path / name, timed, 0)


def test_other_names_are_not_found(tmp_path: Path) -> None:
    folder = touched(tmp_path, "-abc_10_20.mp4", "-abc_20_30.mp4", "-abcd.mp4", "-abc.json", ".-abc.mp4")
    assert folder.find(TIMED) == "there are only other segments of its video: -abc_10_20, -abc_20_30"
    assert folder.find(UNTIMED) == folder.find(TIMED)
    assert folder.find(ListedClip("x", "x", (), 1)) == "no file"


def test_pictures_go_before_sound_and_the_clip_before_its_video(tmp_path: Path) -> None:
    assert touched(tmp_path, "a/-abc.flac", "b/-abc.mp4").find(TIMED) == Located(tmp_path / "b/-abc.mp4", False, 1)
    assert touched(tmp_path, "-abc_30_40.mp4").find(TIMED) == Located(tmp_path / "-abc_30_40.mp4", True, 0)


# ------------------------------------------------------------------------------------------------------------- subsets
MEMBERS = st.dictionaries(
    st.text("abcd", min_size=1, max_size=6), st.lists(st.sampled_from("xyz"), min_size=1, max_size=3), min_size=1
)


@given(MEMBERS, st.integers(1, 3), st.integers(0, 5))
def test_a_drawn_subset_depends_on_ids_labels_and_seed_alone(
    labels: dict[str, list[str]], per_class: int, seed: int
) -> None:
    chosen = retrieval_subset(labels, per_class, seed)
    shuffled = list(labels.items())
    random.Random(seed).shuffle(shuffled)
    assert retrieval_subset({name: own[::-1] for name, own in shuffled}, per_class, seed) == chosen
    assert all(label in labels[name] for name, label in chosen.items())
    counts = Counter(chosen.values())
    assert max(counts.values()) <= per_class
    for label in "xyz":
        left = [name for name in labels if label in labels[name] and name not in chosen]
        assert counts[label] == per_class or not left  # a class stays short only where nothing is left for it
    assert short_classes(chosen, "xyz", per_class) == {c: counts[c] for c in "xyz" if counts[c] < per_class}


def test_another_seed_draws_others_and_further_clips_change_little() -> None:
    labels = {f"clip {i}": [f"class {i % 4}"] for i in range(200)}
    first = retrieval_subset(labels)
    assert Counter(first.values()) == {f"class {i}": 5 for i in range(4)}
    assert set(retrieval_subset(labels, seed=1)) != set(first)
    fewer = {name: own for name, own in labels.items() if name not in list(first)[:2]}
    assert len(set(retrieval_subset(fewer)) & set(first)) == 18
    with pytest.raises(UsageError, match="0 clips per class"):
        retrieval_subset(labels, 0)


@given(st.lists(st.text()))
def test_the_hash_is_of_the_set(ids: list[str]) -> None:
    text = "".join(f"{name}\n" for name in sorted(set(ids))).encode("utf-8", "surrogateescape")
    assert subset_hash(ids) == subset_hash(ids[::-1] + ids[:1]) == hashlib.blake2b(text, digest_size=8).hexdigest()


# ---------------------------------------------------------------------------------------------------- what is there
def of_videos(*clips: ListedClip) -> PublishedList:
    return PublishedList("audioset", Path("list"), clips, ClassList((DOG, WOMAN), ("/1", "/2"), "classes"))


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DatasetReport, list[str]]:
    """A folder with everything that goes wrong in the field, read from a list and checked."""
    root = tmp_path_factory.mktemp("field")
    media = root / "media"
    make_clip(media / "good.mp4", 1.0)
    make_clip(media / "sub" / "long_10_11.mp4", 1.2, 500)
    make_clip(media / "video.mp4", 4.0, 600)
    make_clip(media / "mute.mp4", 1.0, sound=False)
    make_clip(media / "still.mp4", 1.0, loudness=0.0)
    make_clip(media / "faint.mp4", 1.0, loudness=0.0004)
    shutil.copy(media / "good.mp4", media / "again.mp4")
    whole = make_clip(root / "whole.mp4", 2.0, 700).read_bytes()
    (media / "torn.mp4").write_bytes(whole[: len(whole) // 2])
    (media / "words.mp4").write_text("these are words, not pictures\n" * 9)
    (media / "heard.wav").write_bytes(counting_wav())
    (media / "half.wav").write_bytes(counting_wav(3.0)[:48_000])
    (media / "good.flac").touch()
    names = [
        "good",
        "long",
        "video",
        "mute",
        "still",
        "faint",
        "again",
        "torn",
        "words",
        "half",
        "heard",
        "gone",
        "good",
    ]
    times = {"long": "10, 11", "video": "2, 3", "half": "0, 3"}
    rows = [f'{name}, {times.get(name, "0, 1")}, "/m/09x0r,/t/dd00004"' for name in names]
    listed = read_list("audioset", segments(root, *rows), class_list(root))
    steps: list[str] = []
    wishes = Wishes(split="eval", check=True, workers=1)
    found = assemble(listed, media, wishes, lambda what, done, total: steps.append(f"{what} {done}/{total}"))
    return root, write_manifest(root / "eval.csv", found.entries, found.report), steps


def counting_wav(seconds: float = 1.0) -> bytes:
    import numpy as np

    from seehear.media import encode_wav

    return encode_wav((np.arange(round(16_000 * seconds)) % 9000).astype(np.int16))


def test_the_report_names_all_that_is_wrong(checked: tuple[Path, DatasetReport, list[str]]) -> None:
    _, report, steps = checked
    assert (report.rows, report.listed, report.found, report.kept) == (13, 12, 11, 8)
    assert [(gone.id, gone.detail) for gone in report.missing] == [("gone", "no file")]
    assert [(twice.id, twice.rows) for twice in report.repeated] == [("good", (4, 16))]
    assert report.same_content == (("again", "good"),)
    assert report.several_files == {"good": 1}
    assert {one.id: one.reason for one in report.broken} == {
        "torn": "truncated or damaged",
        "words": "not a media file",
        "half": "truncated or damaged",
    }
    assert (report.without_sound, report.without_picture) == (("mute",), ("heard",))
    assert list(report.silent) == ["still", "faint"]
    assert report.silent["still"] is None
    assert report.silent["faint"] == pytest.approx(-68, abs=3)  # 20 log10(0.0004); AAC moves it a little
    assert report.empty_classes == (DOG,)
    assert steps[10:] == ["probing 11/11", *(f"decoding {i}/9" for i in range(1, 10))]  # all that could be probed


def test_the_manifest_is_packed(checked: tuple[Path, DatasetReport, list[str]]) -> None:
    root, report, _ = checked
    kept = ["good", "long", "video", "mute", "still", "faint", "again", "heard"]
    facts = json.loads((root / "eval.dataset.json").read_text())
    assert facts["subset_hash"] == report.subset_hash == subset_hash(kept)
    assert facts["listed_hash"] == report.listed_hash != report.subset_hash
    assert [item["name"] for item in facts["classes"]] == [SPEECH, WOMAN, DOG]
    table = root / "clips.lance"
    packed = clips.pack(root / "media", table, manifest=root / "eval.csv", modality="any", frames=2, size=32, workers=1)
    assert (packed.clips, packed.skips, packed.splits) == (8, (), {"eval": 8})
    opened = clips.open(table)
    assert subset_hash(opened.names) == report.subset_hash
    assert opened.label_names == (WOMAN, SPEECH)
    row = opened.names.index("video")
    assert (opened.start_seconds[row], opened.duration_seconds[row]) == (2.0, 1.0)  # its stretch of a longer video
    assert opened.duration_seconds[opened.names.index("long")] == pytest.approx(1.2, abs=0.05)  # a file of its own


def test_real_recordings(real_clips: Path, tmp_path: Path) -> None:
    """The goat's sound track holds zeros only; the dog has none."""
    for name in ("kinetics_goat.mp4", "kinetics_dog_silent.mp4", "audioset_00W1lcxW-WU.mp4"):
        shutil.copy(real_clips / name, tmp_path / name.split("_", 1)[1])
    names = ("goat", "dog_silent", "00W1lcxW-WU")
    listed = of_videos(*(ListedClip(name, name, (DOG,), 1, 0, 10) for name in names))
    report = assemble(listed, tmp_path, Wishes(check=True, workers=1)).report
    assert (report.kept, report.broken, report.without_picture) == (3, (), ())
    assert (report.without_sound, report.silent) == (("dog_silent",), {"goat": None})


def test_what_a_file_named_after_its_video_holds(tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mp4", 3.5)
    one, two = (ListedClip(f"a_{s:06d}", "a", (DOG,), s, s, s + 1) for s in (1, 2))

    def stretches(files: Files, *listed: ListedClip) -> list[tuple[float | None, float | None]]:
        found = assemble(of_videos(*listed), tmp_path, Wishes(files=files, workers=1))
        return [(entry.start_seconds, entry.duration_seconds) for entry in found.entries]

    assert stretches("auto", one, two) == stretches("whole", one, two) == [(1, 1), (2, 1)]
    assert stretches("cut", one) == [(None, None)]
    assert stretches("auto", ListedClip("a", "a", (DOG,), 1, 0, 3)) == [(None, None)]
    torn = assemble(of_videos(one, two), tmp_path, Wishes(files="cut"))
    assert torn.report.missing[0].detail == "a.mp4 holds one segment, and the list has 2 of that video"
    assert (torn.report.kept, len(torn.report.missing)) == (0, 2)
    with pytest.raises(DataError, match="no clip is left"):
        write_manifest(tmp_path / "none.csv", torn.entries, torn.report)


def listed_files(folder: Path, count: int) -> PublishedList:
    touched(folder, *(f"c{i}.mp4" for i in range(count)))
    return of_videos(*(ListedClip(f"c{i}", f"c{i}", (DOG if i % 2 else WOMAN,), i) for i in range(count)))


def test_subsets_of_a_list(tmp_path: Path) -> None:
    listed = listed_files(tmp_path, 8)
    (tmp_path / "c3.mp4").unlink()
    drawn = assemble(listed, tmp_path, Wishes(per_class=4)).report
    assert (drawn.kept, drawn.found, drawn.short_classes) == (7, 7, {DOG: 3})
    ids = write(tmp_path / "ids.csv", "c1\nc3\nc99\n")
    given_ids = assemble(listed, tmp_path, Wishes(subset=ids)).report
    assert (given_ids.listed, given_ids.kept, given_ids.unlisted) == (2, 1, ("c99",))
    assert [gone.id for gone in given_ids.missing] == ["c3"]
    assert (given_ids.subset_hash, given_ids.listed_hash) == (subset_hash(["c1"]), subset_hash(["c1", "c3"]))
    with pytest.raises(DataError, match="lists none of the clips"):
        assemble(listed, tmp_path, Wishes(subset=write(tmp_path / "other.csv", "z\n")))


def test_splits(tmp_path: Path) -> None:
    touched(tmp_path, "a.mp4", "b.mp4")
    listed = read_list("vggsound", write(tmp_path / "v.csv", "a,0,x,train\nb,0,y,test\n"))
    every = assemble(listed, tmp_path, Wishes(files="cut"))
    assert [entry.split for entry in every.entries] == ["train", "test"]
    test = assemble(listed, tmp_path, Wishes(split="test", files="cut"))
    assert [entry.id for entry in test.entries] == ["b_000000"]
    assert test.report.empty_classes == ("x",)
    with pytest.raises(UsageError, match="no split 'val'; expected test or train"):
        assemble(listed, tmp_path, Wishes(split="val"))


def test_folders_without_the_clips(tmp_path: Path) -> None:
    listed = listed_files(tmp_path / "media", 2)
    with pytest.raises(DataError, match="there is no folder"):
        assemble(listed, tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no media"):
        assemble(listed, tmp_path / "empty")
    touched(tmp_path / "others", "x.mp4")
    with pytest.raises(DataError, match=r"holds none of the 2 clips.*for example, c0"):
        assemble(listed, tmp_path / "others")


@pytest.mark.parametrize(
    ("wishes", "says"),
    [
        (lambda: Wishes(subset=Path("a"), per_class=5), "expected one of them"),
        (lambda: Wishes(per_class=0), "0 clips per class"),
        (lambda: Wishes(leave_out_silent=True), "add --check"),
        (lambda: Wishes(silence_db=3), "below 0"),
    ],
)
def test_wishes_that_cannot_be(wishes: Callable[[], Wishes], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        wishes()


def test_classes_that_a_csv_cannot_hold(tmp_path: Path) -> None:
    listed = listed_files(tmp_path, 1)
    clip = ListedClip("c0", "c0", ("one; two",), 1)
    found = assemble(PublishedList("cav-mae", Path("list"), (clip,), listed.classes), tmp_path)
    with pytest.raises(DataError, match=r"'one; two' cannot stand in a \.csv.*jsonl"):
        write_manifest(tmp_path / "m.csv", found.entries, found.report)
    write_manifest(tmp_path / "m.jsonl", found.entries, found.report)
    entry = clips.list_folder(tmp_path, tmp_path / "m.jsonl").entries[0]
    assert (entry.labels, entry.id, entry.name) == (("one; two",), "c0", "c0.mp4")
    with pytest.raises(UsageError, match=r"ends in '\.txt'"):
        write_manifest(tmp_path / "m.txt", found.entries, found.report)
