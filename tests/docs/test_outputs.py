"""When what a command printed counts as what a page shows."""

import pytest

from tests.docs.fences import CONSOLE, Command, Fence, normal
from tests.docs.outputs import matches

PRINTED = (
    "Pod shop/web-6fd8c7b9d4-x2x9p: waits\n  since    2026-11-22T19:35:24Z (10s ago)\n  price    $0.0247\n"
)


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param([], id="nothing is shown"),
        pytest.param(PRINTED.splitlines(), id="all is shown"),
        pytest.param(
            [
                "Pod shop/web-5c6d7f8b9c-abcde: waits",
                "  since 2025-01-01T00:00:00Z (1m10s ago)",
                "  price $1.5",
            ],
            id="names, times, numbers and blanks differ",
        ),
        pytest.param(
            ["Pod shop/web-5c6d7f8b9c-abcde: …", "…", "  price    $0.0247"], id="parts are left out"
        ),
        pytest.param(["…"], id="all is left out"),
    ],
)
def test_what_is_shown_is_what_was_printed(shown: list[str]) -> None:
    assert matches(tuple(shown), PRINTED)


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(["Pod shop/web-5c6d7f8b9c-abcde: bursts", "…"], id="another word"),
        pytest.param(["Pod shop/web-5c6d7f8b9c-abcde: waits"], id="lines are missing and nobody says so"),
        pytest.param(["…", "  price    $0.0247", "  since    …"], id="another order"),
    ],
)
def test_what_is_shown_is_not_what_was_printed(shown: list[str]) -> None:
    assert not matches(tuple(shown), PRINTED)


def test_a_command_goes_on_after_a_backslash_and_ends_where_lines_are_shown() -> None:
    fence = Fence("page.md", 1, CONSOLE, "", "$ helm install \\\n    spillway\nshown\n$ true\n")
    assert fence.commands == (Command("helm install \\\n    spillway", ("shown",)), Command("true", ()))


def test_the_list_has_commands_on_one_line_and_without_comments() -> None:
    assert normal("scripts/test \\\n  --all      # skipped: much") == "scripts/test --all"
