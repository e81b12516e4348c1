"""Searching the test split of the world's `base` gives exactly the ranks that the evaluation of retrieval counts."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from seehear import clips, load, world
from seehear.cli import main
from seehear.metrics import paired_ranks
from seehear.runs.evaluation import embed_clips
from seehear.search import Searcher, embed, query_of_clip
from seehear.signals import waveform_to_int16

COUNT, ASKED = 400, 40


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = []
    for number, shown in enumerate(world.memory_clips("base", "test", 0, COUNT, size=96)):
        sound = waveform_to_int16(torch.from_numpy(shown.waveform)).numpy()
        seconds = len(sound) / 16_000
        middle = shown.pixels[len(shown.pixels) // 2][None]
        made.append(
            clips.Clip(
                f"{number:03}", duration_seconds=seconds, labels=list(shown.labels), frames=middle,
                frame_seconds=np.array([seconds / 2]), audio=sound,
            )
        )  # fmt: skip
    place = tmp_path_factory.mktemp("base") / "test.lance"
    clips.pack(clips.MemoryClips(made), place, frames=1, size=96)
    embed(load("avsiam-world"), place)
    return place


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", [("audio", "image"), ("image", "audio")])
def test_ranks_are_those_of_the_evaluation(
    table: Path, way: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    found, search = embed_clips(load("avsiam-world").method, clips.open(table)), Searcher(table)
    by_way = dict(zip((("audio", "image"), ("image", "audio")), paired_ranks(found.audio, found.image), strict=True))
    ranks = dict(zip(found.names, by_way[way], strict=True))
    recall_at_10 = np.mean([rank <= 10 for rank in ranks.values()])
    assert recall_at_10 > 4 * 10 / COUNT  # four times chance: there is something to compare
    for name in search.table.names:
        query = next(q for q in query_of_clip(search.table, name) if q.modality == way[0])
        hits = search.search(query, way[1], k=COUNT)
        assert next(hit.rank for hit in hits if hit.id == name) == ranks[name]
    for name in search.table.names[:: COUNT // ASKED]:
        words = ["search", str(table), "--id", name, "--by", way[0], "--for", way[1], "-k", str(COUNT), "--json"]
        assert main(words) == 0
        hits = json.loads(capsys.readouterr().out)["hits"]
        assert next(hit["rank"] for hit in hits if hit["id"] == name) == ranks[name]
