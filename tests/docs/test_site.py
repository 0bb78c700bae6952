"""The site: every page is in the navigation, every link leads somewhere, generated tables are current."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.lib.install_tables import iam_tables, rbac_tables
from tests.docs.fences import DOCS, PAGES, ROOT

LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(?P<text>.+?) *$", re.MULTILINE)
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)


class _Loader(yaml.SafeLoader):
    """mkdocs.yml names Python objects; here their names suffice."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda _, suffix, __: suffix)


def configuration() -> dict[str, Any]:
    return dict(yaml.load((ROOT / "mkdocs.yml").read_text(), Loader=_Loader))  # noqa: S506  (a SafeLoader)


def entries(nav: Any) -> Iterator[str]:
    """The files that the navigation names."""
    match nav:
        case str():
            yield nav
        case list():
            for each in nav:
                yield from entries(each)
        case dict():
            yield from entries(list(nav.values()))
        case _:
            raise AssertionError(nav)


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as Python-Markdown's toc makes them."""
    text = FENCE.sub("", path.read_text())
    return {slug(match["text"]) for match in HEADING.finditer(text)}


def slug(heading: str) -> str:
    words = re.sub(r"[^\w\s-]", "", re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading)).strip().lower()
    return re.sub(r"[-\s]+", "-", words)


def broken(path: Path) -> Iterator[str]:
    """Links of a page that lead nowhere."""
    for match in LINK.finditer(FENCE.sub("", path.read_text())):
        target, _, anchor = match["target"].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            yield f"{path.relative_to(ROOT)}: {match['target']}"


def test_every_entry_of_the_navigation_is_a_page() -> None:
    assert [name for name in entries(configuration()["nav"]) if not (DOCS / name).exists()] == []


def test_every_page_is_in_the_navigation_or_a_decision_that_is_listed() -> None:
    decisions = {match["target"] for match in LINK.finditer((DOCS / "design.md").read_text())}
    named = {*entries(configuration()["nav"]), *decisions}
    assert {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")} - named == set()


@pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in [*PAGES, *DOCS.rglob("*.md")]])
def test_every_link_within_the_source_leads_somewhere(path: Path) -> None:
    assert list(broken(path)) == []


@pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in DOCS.glob("*.md")])
def test_a_page_of_the_site_links_nothing_outside_it(path: Path) -> None:
    text = FENCE.sub("", path.read_text())
    assert [match["target"] for match in LINK.finditer(text) if match["target"].startswith("..")] == []


def test_every_alert_has_a_section_with_its_anchor_and_no_section_is_of_none() -> None:
    rules = yaml.safe_load((ROOT / "charts/spillway/rules/alerts.yaml").read_text())
    alerts = {rule["alert"].lower() for group in rules["groups"] for rule in group["rules"]}
    sections = {
        each for each in anchors(DOCS / "operations.md") if each.startswith("spillway") and "-" not in each
    }
    assert sections == alerts


@pytest.mark.parametrize("table", [*rbac_tables(), *iam_tables()])
def test_rights_on_the_page_are_those_of_the_code(table: str) -> None:
    assert table in (DOCS / "install.md").read_text()
