"""Work that saves as it goes ends on Ctrl-C and SIGTERM with status 75 and says how to go on."""

import os
import signal

import pytest

from seehear.cli.console import Console
from seehear.cli.failure import guard
from seehear.cli.interruption import restartable


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_75(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.signal(signal.SIGINT, signal.default_int_handler)

    def work() -> None:
        with restartable():
            os.kill(os.getpid(), number)
            signal.pause()

    try:
        assert guard(work, Console()) == 75
    finally:
        signal.signal(signal.SIGINT, before[1])
    assert signal.getsignal(signal.SIGTERM) is before[0]
    assert "start the same command again to go on" in capsys.readouterr().err


def test_other_errors_pass() -> None:
    with pytest.raises(ValueError, match="mine"), restartable():
        raise ValueError("mine")
