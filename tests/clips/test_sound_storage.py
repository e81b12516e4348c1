"""Sound is stored as it is, which reads twice as fast; tables that were packed before, with it squeezed, go on."""

import lance
import numpy as np
import pyarrow as pa

from seehear.clips import TableClips
from seehear.clips.schema import Row, schema, to_table
from seehear.contracts import AudioNeed, Needs

SAMPLES = 80_000  # Lance squeezes values of this size unless it is told not to


def rows(first: int, count: int) -> list[Row]:
    """Rows of sound that any coding would make smaller: each holds one value only."""
    return [
        Row(f"clip{n}", "file.wav", 0.0, 5.0, audio=np.full(SAMPLES, n, "<i2").tobytes(), audio_codec="pcm_s16le")
        for n in range(first, first + count)
    ]


def stored_bytes(path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*.lance"))


def test_sound_is_not_squeezed(tmp_path):
    lance.write_dataset(to_table(rows(0, 40), schema()), str(tmp_path / "new.lance"), schema=schema())
    assert stored_bytes(tmp_path / "new.lance") > 40 * 2 * SAMPLES


def test_a_table_from_before_is_read_and_added_to(tmp_path):
    path = tmp_path / "old.lance"
    before = pa.schema([field.with_metadata(None) for field in schema()], metadata=schema().metadata)
    lance.write_dataset(to_table(rows(0, 20), before), str(path), schema=before)
    assert stored_bytes(path) < 20 * 2 * SAMPLES
    lance.write_dataset(to_table(rows(20, 20), schema()), str(path), schema=schema(), mode="append")
    source = TableClips(path)
    for number, clip in enumerate(source.read_many(np.arange(40), Needs(AudioNeed(5.0)))):
        assert clip.id == f"clip{number}"
        np.testing.assert_array_equal(clip.audio, np.full(SAMPLES, number, np.int16))
