"""Write the pages that are made from code, or with --check say which ones are out of date."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from app import settings
from app.cli.flags import shown
from scripts.lib.chart_dashboard import dashboard_page
from scripts.lib.chart_defaults import defaults_page
from scripts.lib.chart_pages import readme_page, schema_page, values_page
from scripts.lib.design_page import design_page
from scripts.lib.install_tables import install_page
from scripts.lib.support_page import support_page

INTRODUCTION: Final = (
    "Each setting is a flag and an environment variable; the flag wins. AWS credentials, region and "
    "endpoints come through the usual `AWS_*` variables, files and roles."
)
ROOT: Final = Path(__file__).resolve().parents[2]


def settings_page() -> str:
    """docs/settings.md: every setting of every program."""
    parts = [
        "# Settings",
        "Written by `python -m scripts.lib.pages` from `app/settings.py`; change that file instead.",
        INTRODUCTION,
    ]
    for program, kind in settings.PROGRAMS.items():
        parts.append(f"## spillway {program}")
        rows = ["| Flag | Variable | Default | Meaning |", "|---|---|---|---|"]
        for name, field in kind.model_fields.items():
            description = (field.description or "").replace("|", "\\|")
            names = f"`{settings.flag(name)}` | `{settings.variable(name)}`"
            rows.append(f"| {names} | {shown(field.default)} | {description} |")
        parts.append("\n".join(rows))
    return "\n\n".join(parts) + "\n"


PAGES: Final[dict[str, Callable[[], str]]] = {
    "docs/settings.md": settings_page,
    "docs/pod-support.md": support_page,
    "docs/install.md": install_page,
    "docs/design.md": design_page,
    "charts/spillway/values.yaml": values_page,
    "charts/spillway/values.schema.json": schema_page,
    "charts/spillway/templates/_defaults.tpl": defaults_page,
    "charts/spillway/README.md": readme_page,
    "charts/spillway/dashboards/spillway.json": dashboard_page,
}


def main(arguments: list[str]) -> int:
    """Write the pages; with `--check`, return 1 where one differs."""
    stale = []
    for name, page in PAGES.items():
        path = ROOT / name
        text = page()
        if "--check" in arguments:
            if not path.exists() or path.read_text() != text:
                stale.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    for name in stale:
        sys.stderr.write(f"{name} is out of date; run: python -m scripts.lib.pages\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
