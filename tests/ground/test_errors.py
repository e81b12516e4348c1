"""Errors cure: what was found, expected, the cause, the command; one line, one exit status, across processes."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from seehear import errors
from seehear.errors import DataError, MediaError, SeeHearError, SkipReason, UsageError

DOCUMENTED = {
    "UsageError": 2,
    "DataError": 3,
    "MediaError": 3,
    "DivergedError": 4,
    "StorageError": 5,
    "LostPeerError": 6,
    "RequeueError": 75,
}


def test_every_error_has_its_documented_exit_status() -> None:
    kinds = {k: v for k, v in vars(errors).items() if isinstance(v, type) and issubclass(v, SeeHearError)}
    statuses = {name: kind.exit_status for name, kind in kinds.items() if kind is not SeeHearError}
    assert statuses == DOCUMENTED


def test_the_parts_stand_in_one_line() -> None:
    error = UsageError("3 legs", expected="4", cause="a saw", cure="glue")
    assert str(error) == "3 legs; expected 4; likely cause: a saw; try: glue"
    assert (error.found, error.expected, error.cause, error.cure) == ("3 legs", "4", "a saw", "glue")


def test_absent_parts_leave_no_trace() -> None:
    assert str(DataError("3 legs")) == "3 legs"
    assert str(DataError("3 legs", cure="glue")) == "3 legs; try: glue"


@pytest.mark.parametrize("reason", list(SkipReason))
def test_a_media_error_names_file_reason_and_finding(reason: SkipReason) -> None:
    error = MediaError(reason, "0 bytes", path="clip.mp4", expected="some", cause="a full disk", cure="copy it again")
    line = f"clip.mp4: {reason.value} (0 bytes); expected some; likely cause: a full disk; try: copy it again"
    assert str(error) == line
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
    assert vars(again) == vars(error)
    assert (str(again), again.reason, type(again)) == (line, reason, MediaError)


def test_a_media_error_of_bytes_names_no_file() -> None:
    assert str(MediaError(SkipReason.EMPTY, "0 bytes")) == "empty file (0 bytes)"


def test_other_errors_keep_their_parts_across_processes() -> None:
    for name in DOCUMENTED.keys() - {"MediaError"}:
        error = getattr(errors, name)("found", expected="wanted", cause="why", cure="do")
        again = pickle.loads(pickle.dumps(error))  # noqa: S301 (our own bytes)
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def _fail() -> None:
    raise MediaError(SkipReason.TRUNCATED, "half a frame", path="clip.mp4", cure="copy it again")


def test_a_worker_process_hands_its_error_over_whole() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        error = pool.submit(_fail).exception()
    assert isinstance(error, MediaError)
    assert (error.reason, error.path, error.detail) == (SkipReason.TRUNCATED, "clip.mp4", "half a frame")


def test_reasons_are_distinct_plain_words() -> None:
    texts = [reason.value for reason in SkipReason]
    assert len(set(texts)) == len(texts)
    assert all(text == text.strip().lower() and "_" not in text for text in texts)
