"""Every command of the pages does what they show, or stands in the list of those that no test can run."""

from pathlib import Path

import pytest

from tests.chart.rendering import helm_path
from tests.docs.fences import CONSOLE, PAGES, Command, all_fences, fences, normal
from tests.docs.listing import Group, groups, is_picture, listed, stand_ins
from tests.docs.stage import Stage

LANGUAGES = {CONSOLE, "yaml", "json", "hcl", "mermaid", "text"}
"""Each has its test here or in test_snippets.py, but for `text`, which is a formula."""
ALL = tuple((each.page, normal(command.text)) for each in all_fences() for command in each.commands)


def played_of(path: Path) -> tuple[Command, ...]:
    """The commands of a page that are run."""
    return tuple(
        command
        for fence in fences(path)
        for command in fence.commands
        if normal(command.text) not in listed(fence.page)
    )


@pytest.mark.system
@pytest.mark.timeout(600)
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in PAGES if played_of(path)])
async def test_the_commands_of_a_page_do_what_it_shows(path: Path, stage: Stage) -> None:
    if "helm " in path.read_text() and not helm_path(4):
        pytest.skip("helm cannot be fetched")
    stage.keep(each for each in fences(path) if each.title)
    played = await stage.play(played_of(path))
    if wrong := [each.complaint for each in played if each.complaint]:
        pytest.fail("\n\n".join(wrong), pytrace=False)


@pytest.mark.parametrize("group", [pytest.param(each, id=each.needs) for each in groups()])
def test_the_list_has_no_command_that_no_page_has(group: Group) -> None:
    shown = {command for page, command in ALL if group.page in {"", page}}
    assert set(group.commands) - shown == set()


def test_the_list_has_each_command_once() -> None:
    commands = [command for group in groups() for command in group.commands]
    assert [each for each in commands if commands.count(each) > 1] == []


@pytest.mark.parametrize("group", [pytest.param(each, id=each.needs) for each in groups()])
def test_whatever_is_not_run_says_what_it_needs(group: Group) -> None:
    assert group.needs
    assert group.commands


def test_what_does_the_same_as_listed_commands_is_there() -> None:
    assert [path for path in stand_ins() if not path.exists()] == []


def test_every_snippet_is_of_a_language_that_some_test_looks_at() -> None:
    unknown = [
        f"{each}: {each.text.splitlines()[0]}"
        for each in all_fences()
        if each.language not in LANGUAGES and not is_picture(each.text.splitlines()[0])
    ]
    assert unknown == []


def test_every_console_has_a_command() -> None:
    assert [str(each) for each in all_fences() if each.language == CONSOLE and not each.commands] == []
