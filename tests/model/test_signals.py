import pytest

from app.model.signals import asks_to_end, number_of


@pytest.mark.parametrize(
    ("word", "number"),
    [
        pytest.param("SIGHUP", 1, id="first"),
        pytest.param("SIGTERM", 15, id="with-SIG"),
        pytest.param("QUIT", 3, id="without"),
        pytest.param("sigusr1", 10, id="small-letters"),
        pytest.param("SIGWINCH", 28, id="late"),
        pytest.param("SIGSYS", 31, id="last-named"),
        pytest.param("SIGPOLL", 29, id="another-name"),
        pytest.param("3", 3, id="number"),
        pytest.param("SIGRTMIN", 34, id="real-time"),
        pytest.param("SIGRTMIN+3", 37, id="above-the-least"),
        pytest.param("RTMAX-14", 50, id="below-the-most"),
        pytest.param("SIGRTMAX", 64, id="the-most"),
        pytest.param("SIGRTMIN+31", None, id="beyond-the-most"),
        pytest.param("SIGRTMAX-31", None, id="below-the-least"),
        pytest.param("0", None, id="none"),
        pytest.param("65", None, id="too-large"),
        pytest.param("9999999999", None, id="much-too-large"),
        pytest.param("SIGNAL", None, id="no-name"),
        pytest.param("", None, id="empty"),
        pytest.param("\u0663", None, id="a-digit-of-another-script"),
    ],
)
def test_a_signal_is_known_by_name_and_number(word: str, number: int | None) -> None:
    assert number_of(word) == number


@pytest.mark.parametrize(
    ("word", "asks"),
    [
        pytest.param("SIGTERM", True, id="TERM"),
        pytest.param("SIGUSR2", True, id="USR2"),
        pytest.param("SIGKILL", False, id="KILL"),
        pytest.param("SIGSTOP", False, id="STOP"),
        pytest.param("SIGCLD", False, id="CLD"),
    ],
)
def test_what_the_kernel_keeps_for_itself_asks_nobody(word: str, asks: bool) -> None:
    number = number_of(word)
    assert number is not None
    assert asks_to_end(number) is asks
