"""templates/_defaults.tpl of the chart: values.yaml once more, where templates can read it."""

import json
from pathlib import Path
from typing import Final

import yaml

from app.model.wire import Json

VALUES: Final = Path(__file__).resolve().parents[2] / "charts" / "spillway" / "values.yaml"

WHOLE: Final = ("labels", "nodeSelector", "podSecurityContext", "resources", "securityContext")
"""Kubernetes' own objects: taken whole or not at all, so that a default in them can be left out."""

_TEMPLATE: Final = """\
{{- /* Written by `python -m scripts.lib.pages` from values.yaml. */}}

{{/*
Values that are missing get their default: with `null`, which takes a default away, and after `helm upgrade
--reuse-values`, which knows no value that is newer than the release. Each template begins with it, since Helm
says nothing about their order.
*/}}
{{- define "spillway.complete" -}}
{{- include "spillway.fill" (dict "into" .Values "from" (include "spillway.defaults" . | fromJson)) -}}
{{- end -}}

{{/* What (dict "into" map "from" map) lacks. */}}
{{- define "spillway.fill" -}}
{{- range $name, $default := .from -}}
{{- $found := get $.into $name -}}
{{- if or (not (hasKey $.into $name)) (kindIs "invalid" $found) -}}
{{- $_ := set $.into $name $default -}}
{{- else if and (kindIs "map" $default) (not (has $name (list WHOLE))) -}}
{{- include "spillway.fill" (dict "into" $found "from" $default) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spillway.defaults" -}}
DEFAULTS
{{- end -}}
"""


def defaults_page() -> str:
    """templates/_defaults.tpl."""
    defaults: Json = yaml.safe_load(VALUES.read_text())
    whole = " ".join(f'"{name}"' for name in WHOLE)
    return _TEMPLATE.replace("WHOLE", whole).replace("DEFAULTS", json.dumps(defaults, indent=1))
