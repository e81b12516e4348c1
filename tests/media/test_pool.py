"""Disposable processes: what goes wrong in one call stays in that call."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from seehear.errors import MediaError, SkipReason, UsageError
from seehear.media import Limits, Pool, probe, read_audio, read_frames, write_video
from seehear.media.decoding_process import WorkerError
from tests.media import misbehaving
from tests.media.making import numbered, numbers, reference


@pytest.fixture(scope="module")
def pool():
    with Pool(2, deadline_seconds=30, limits=Limits(resident_bytes=400 * 2**20, cpu_seconds=20)) as shared:
        yield shared


def gone(process_id, seconds=5.0):
    """Whether a process ends (and is no zombie) in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_media_functions_through_the_pool(pool, tmp_path):
    path = tmp_path / "clip.mp4"
    pixels, waveform = numbered(40, 96, 96), reference(3.2)
    written = pool.submit(write_video, path, pixels, 12.5, waveform).result()
    assert written.video_codec == "libx264"
    frames = pool.submit(read_frames, path, np.arange(40) / 12.5, shorter_side=48).result()
    assert numbers(frames.pixels) == list(range(40))
    frames.pixels[0] = 0  # the caller's own, to write on
    here = read_audio(path)
    np.testing.assert_array_equal(pool.submit(read_audio, path).result(), here)
    assert pool.submit(probe, path).result() == probe(path)


def test_large_arrays_cross_unharmed(pool):
    for count in (0, 1, 16_383, 16_384, 3_000_000):
        found = pool.submit(misbehaving.ramp, count).result()
        np.testing.assert_array_equal(found["ramp"], np.arange(count, dtype=np.int32))
        np.testing.assert_array_equal(found["small"], np.arange(3))
    assert pool.submit(misbehaving.total, np.ones((1000, 3000), np.float32)).result() == 3_000_000
    assert pool.submit(misbehaving.total, np.ones((1000, 3000))[:, ::2]).result() == 1_500_000


def test_no_torch_in_the_children(pool):
    assert not pool.submit(misbehaving.loaded, "torch").result()
    assert pool.submit(misbehaving.loaded, "av").result()


def test_a_crash_is_typed_and_only_that_call(pool):
    calls = [pool.submit(misbehaving.crash, "bad.mp4"), *(pool.submit(misbehaving.double, i) for i in range(6))]
    with pytest.raises(MediaError, match=r"bad\.mp4: decoder crashed \(SIGSEGV") as caught:
        calls[0].result()
    assert caught.value.reason is SkipReason.CRASHED
    assert [call.result() for call in calls[1:]] == [0, 2, 4, 6, 8, 10]
    with pytest.raises(MediaError, match="exit status 3 goodbye"):
        pool.submit(misbehaving.leave, 3).result()


def test_a_hang_is_killed_at_the_deadline():
    with Pool(1, deadline_seconds=0.5) as short:
        victim = short.submit(misbehaving.process_id).result()
        begin = time.monotonic()
        with pytest.raises(MediaError, match=r"no result within 0\.5 s") as caught:
            short.submit(misbehaving.sleep, 60).result()
        assert caught.value.reason is SkipReason.TIMED_OUT
        assert time.monotonic() - begin < 3
        assert gone(victim)
        assert short.submit(misbehaving.double, 4).result() == 8


def test_processor_time_is_limited():
    with Pool(1, limits=Limits(cpu_seconds=1)) as short:
        with pytest.raises(MediaError, match="1 s of processor time") as caught:
            short.submit(misbehaving.burn, 30).result()
        assert caught.value.reason is SkipReason.TIMED_OUT
        assert short.submit(misbehaving.burn, 0.1).result() == 0.1


def test_memory_is_limited(pool):
    assert pool.submit(misbehaving.eat_memory, 200).result() == 200 * 2**20
    with pytest.raises(MediaError, match="400 MiB") as caught:
        pool.submit(misbehaving.eat_memory, 1000).result()
    assert caught.value.reason is SkipReason.OVER_LIMIT


def test_memory_is_limited_inside_ffmpeg(tmp_path):
    path = tmp_path / "large.mp4"
    write_video(path, np.zeros((3, 2048, 2048, 3), np.uint8), 25)
    assert read_frames(path, [0.0]).pixels.shape == (1, 2048, 2048, 3)
    with Pool(1, limits=Limits(resident_bytes=12 * 2**20)) as small:
        with pytest.raises(MediaError) as caught:
            small.submit(read_frames, path, [0.0]).result()
        # a decoder that cannot get memory may say that the data is invalid
        assert caught.value.reason in (SkipReason.OVER_LIMIT, SkipReason.CRASHED, SkipReason.TRUNCATED)
        assert small.submit(misbehaving.double, 1).result() == 2


def test_typed_errors_cross_whole(pool):
    with pytest.raises(MediaError) as caught:
        pool.submit(misbehaving.refuse, "silent.mp4").result()
    assert (caught.value.reason, caught.value.path, caught.value.detail) == (SkipReason.NO_AUDIO, "silent.mp4", "none")
    with pytest.raises(UsageError, match="asked times"):
        pool.submit(read_frames, b"", []).result()


def test_other_errors_say_what_and_where(pool):
    with pytest.raises(WorkerError, match="ValueError: oh") as caught:
        pool.submit(misbehaving.fail, "oh").result()
    assert "in fail" in caught.value.__notes__[0]


def test_a_result_may_only_hold_plain_things(pool):
    with pytest.raises(WorkerError, match=r"may not hold a \w+\.system"):
        pool.submit(misbehaving.evil).result()
    assert pool.submit(misbehaving.double, 2).result() == 4


def test_calls_that_cannot_be_sent(pool):
    with pytest.raises(UsageError, match="cannot be sent"):
        pool.submit(lambda: 1).result()
    with pytest.raises(UsageError, match="cannot be sent"):
        pool.submit(misbehaving.double, open(os.devnull)).result()  # noqa: SIM115
    assert pool.submit(misbehaving.double, 2).result() == 4


def test_map_keeps_order_and_puts_errors_in_their_places(pool):
    found = list(pool.map(misbehaving.sleep_or_refuse, [0.05, "a", 0.0, 0.02, "b", 0.0]))
    assert [f if isinstance(f, float) else f.path for f in found] == [0.05, "a", 0.0, 0.02, "b", 0.0]
    assert isinstance(found[1], MediaError)


def test_map_draws_items_as_needed(pool):
    drawn = []

    def endless():
        number = 0
        while True:
            drawn.append(number)
            yield number
            number += 1

    results = pool.map(misbehaving.double, endless())
    assert [next(results) for _ in range(5)] == [0, 2, 4, 6, 8]
    results.close()
    assert len(drawn) < 20


def test_processes_are_recycled():
    with Pool(1, recycle_after=3) as small:
        ids = [small.submit(misbehaving.process_id).result() for _ in range(7)]
    assert len(set(ids)) == 3
    assert ids[0] == ids[2] != ids[3] == ids[5] != ids[6]
    assert all(gone(i) for i in set(ids))


def test_leaving_waits_for_calls_and_leaves_no_process():
    with Pool(2) as small:
        calls = [small.submit(misbehaving.sleep, 0.05) for _ in range(6)]
        ids = {small.submit(misbehaving.process_id).result() for _ in range(8)}
    assert all(call.result() == 0.05 for call in calls)
    assert all(gone(i) for i in ids)
    with pytest.raises(UsageError, match="shut"):
        small.submit(misbehaving.double, 1)


def test_leaving_by_an_exception_kills_at_once():
    calls = []

    def interrupted():
        with Pool(1) as small:
            small.submit(misbehaving.double, 1).result()
            calls.extend(small.submit(misbehaving.sleep, 60) for _ in range(2))
            time.sleep(0.1)
            raise KeyboardInterrupt

    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - begin < 10
    assert isinstance(calls[0].exception(), MediaError)
    assert calls[1].cancelled()


def test_children_ignore_ctrl_c(pool):
    assert pool.submit(misbehaving.ignores_interrupts).result()


ORPHAN = """
import sys
from seehear.media import Pool
from tests.media import misbehaving
pool = Pool(1)
print(pool.submit(misbehaving.process_id).result(), flush=True)
pool.submit(misbehaving.sleep, 600)
{end}
"""


@pytest.mark.parametrize("end", ["import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "pass"])
def test_children_die_with_their_parent(end):
    run = subprocess.run([sys.executable, "-c", ORPHAN.format(end=end)], capture_output=True, text=True, timeout=60)
    assert gone(int(run.stdout)), run.stderr


def test_a_pool_that_is_forgotten_ends():
    small = Pool(1)
    child = small.submit(misbehaving.process_id).result()
    del small
    assert gone(child)


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"deadline_seconds": 0}, {"recycle_after": 0}])
def test_pools_that_are_none(wrong):
    with pytest.raises(UsageError, match="a pool of"):
        Pool(**{"workers": 1} | wrong)


@pytest.mark.full
def test_many_calls_leak_nothing():
    import psutil

    with Pool(2, recycle_after=200) as busy:
        this = psutil.Process()
        assert sum(1 for _ in busy.map(misbehaving.ramp, [20_000] * 200)) == 200
        files, threads, memory = this.num_fds(), this.num_threads(), this.memory_info().rss
        assert sum(1 for _ in busy.map(misbehaving.ramp, [20_000] * 2000)) == 2000
        assert this.num_fds() <= files + 2
        assert this.num_threads() == threads
        assert this.memory_info().rss < memory + 20 * 2**20
