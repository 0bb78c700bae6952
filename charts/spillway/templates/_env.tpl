{{/* Settings as variables of the environment. */}}

{{/* A value as the programs read it: lists with commas, whole numbers without an exponent. */}}
{{- define "spillway.written" -}}
{{- if kindIs "slice" . -}}
{{- join "," . -}}
{{- else if kindIs "float64" . -}}
{{- if eq . (float64 (int64 .)) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* SPILLWAY_* of (dict "settings" map); what is empty is left to the program. */}}
{{- define "spillway.settings" -}}
{{- range $name, $value := .settings }}
{{- $written := ternary "" (include "spillway.written" $value) (kindIs "invalid" $value) }}
{{- if $written }}
- name: SPILLWAY_{{ $name | snakecase | upper }}
  value: {{ $written | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What is set once for all programs. */}}
{{- define "spillway.commonEnv" -}}
- name: SPILLWAY_LOG_LEVEL
  value: {{ .Values.logLevel | quote }}
- name: SPILLWAY_LOG_FORMAT
  value: {{ .Values.logFormat | quote }}
{{- end -}}

{{- define "spillway.namespaceEnv" -}}
- name: SPILLWAY_NAMESPACE
  value: {{ .Release.Namespace | quote }}
{{- end -}}

{{- define "spillway.tlsEnv" -}}
- name: SPILLWAY_TLS_CERT
  value: /tls/tls.crt
- name: SPILLWAY_TLS_KEY
  value: /tls/tls.key
{{- end -}}
