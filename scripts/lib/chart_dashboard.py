"""The Grafana dashboard of the chart, from rows of panels.

https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

import json
from itertools import count
from typing import Final

from app.model.wire import Json
from scripts.lib.chart_panels import ROWS, Panel

DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
WIDTH: Final = 24
"""Columns of Grafana's grid."""


def dashboard() -> Json:
    """The whole dashboard."""
    ids = count(1)
    panels: list[Json] = []
    top = 0
    for title, row in ROWS:
        panels.append({"id": next(ids), "type": "row", "title": title, "collapsed": False, "panels": []})
        panels[-1]["gridPos"] = {"x": 0, "y": top, "w": WIDTH, "h": 1}
        top += 1
        left = height = 0
        for each in row:
            if left + each.width > WIDTH:
                left, top = 0, top + height
            height = 4 if each.kind == "stat" else 8
            place = {"x": left, "y": top, "w": each.width, "h": height}
            panels.append({"id": next(ids), "gridPos": place, **_panel(each)})
            left += each.width
        top += height
    return {
        "uid": "spillway",
        "title": "Spillway",
        "tags": ["kubernetes", "fargate"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
        "panels": panels,
    }


def _panel(panel: Panel) -> dict[str, Json]:
    is_now = panel.kind != "timeseries"
    targets = [
        {
            "refId": chr(ord("A") + index),
            "datasource": DATASOURCE,
            "expr": query,
            "legendFormat": legend,
            "instant": is_now,
            "range": not is_now,
        }
        for index, (query, legend) in enumerate(panel.queries)
    ]
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.note,
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": targets,
        **({"options": {"textMode": "name"}} if panel.is_named else {}),
    }


def dashboard_page() -> str:
    """dashboards/spillway.json."""
    return json.dumps(dashboard(), indent=2) + "\n"
