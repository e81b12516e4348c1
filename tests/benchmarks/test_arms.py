"""Arms take turns, each in a process of its own, and ratios are those of neighbouring turns."""

import os
import time

from benchmarks.kit.arms import Arm, Taken, peak_mebibytes, ratios, take_turns

HERE = "tests.benchmarks.test_arms"


def counting(start: int, sleep: float = 0.0):
    """An arm that says how often it was called, where, when, and with how many threads."""
    import torch

    calls = start

    def work():
        nonlocal calls
        calls += 1
        time.sleep(sleep)
        threads = torch.get_num_threads()
        marked = float(os.environ.get("MARK", "0"))
        return {"calls": calls, "process": os.getpid(), "when": time.monotonic(), "threads": threads, "mark": marked}

    return work


def hungry(mebibytes: int):
    def work():
        bytearray(mebibytes << 20)

    return work


def test_arms_alternate_in_processes_of_their_own():
    arms = {
        "slow": Arm(f"{HERE}:counting", {"start": 10, "sleep": 0.05}, threads=1, environment={"MARK": "7"}),
        "quick": Arm(f"{HERE}:counting", {"start": 0}, threads=2),
    }
    taken = take_turns(arms, repeats=3, warmup=1)
    slow, quick = taken["slow"].values, taken["quick"].values
    assert [v["calls"] for v in slow] == [12, 13, 14]  # one turn of warm-up does not count
    assert [v["calls"] for v in quick] == [2, 3, 4]
    assert len({slow[0]["process"], quick[0]["process"], os.getpid()}) == 3
    assert sorted((*slow, *quick), key=lambda v: v["when"]) == [
        v for pair in zip(slow, quick, strict=True) for v in pair
    ]
    assert (slow[0]["threads"], quick[0]["threads"]) == (1, 2)
    assert (slow[0]["mark"], quick[0]["mark"]) == (7, 0)
    assert "MARK" not in os.environ
    assert min(taken["slow"].seconds) >= 0.05
    assert ratios(taken["slow"], taken["quick"])["ratio_lower_quartile"] > 1


def test_memory_is_the_arms_own():
    more = round(peak_mebibytes()) + 300  # a process may inherit the peak of the one that started it
    taken = take_turns({n: Arm(f"{HERE}:hungry", {"mebibytes": m}) for n, m in {"a": more, "b": 1}.items()}, repeats=1)
    assert taken["a"].peak_mebibytes - taken["b"].peak_mebibytes > 250
    assert taken["a"].peak_mebibytes - taken["a"].idle_mebibytes > 250
    assert taken["b"].peak_mebibytes - taken["b"].idle_mebibytes < 60


def test_ratios_are_of_neighbours():
    slow, quick = (Taken(seconds, (), (), 0, 0) for seconds in ((4.0, 9.0, 8.0, 20.0), (2.0, 3.0, 2.0, 2.0)))
    assert ratios(slow, quick) == {"ratio": 3.5, "ratio_lower_quartile": 2.75}
    assert ratios(Taken((3.0,), (), (), 0, 0), Taken((2.0,), (), (), 0, 0))["ratio_lower_quartile"] == 1.5
