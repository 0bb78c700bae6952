import re
from pathlib import Path
from typing import Any

import pytest

from app import settings
from app.model.setting import named
from scripts.lib import chart_settings

APP = Path(settings.__file__).parents[1]
NAMED = re.compile(r"named\(\"(\w+)\", \"(\w+)\"\)|named\('(\w+)', '(\w+)'\)")
FOUND = sorted(
    {
        tuple(part for part in found if part)
        for path in APP.rglob("*.py")
        for found in NAMED.findall(path.read_text())
    }
)
"""Every setting that a mend names."""


def test_a_setting_is_named_by_its_flag_and_its_value() -> None:
    assert named("extender", "max_pods") == "--max-pods (extender.settings.maxPods)"


@pytest.mark.parametrize("found", [pytest.param(each, id="-".join(each)) for each in FOUND])
def test_what_mends_name_is_a_flag_and_a_value_of_the_chart(found: tuple[Any, Any]) -> None:
    program, field = found
    assert field in settings.PROGRAMS[program].model_fields
    assert field in {each.field for each in chart_settings.values(program)}


def test_mends_name_settings() -> None:
    assert ("extender", "gate") in FOUND
