{{/* Names, labels and images. */}}

{{- define "spillway.name" -}}
{{- default .Chart.Name .Values.nameOverride -}}
{{- end -}}

{{/* Services have it in their names, which know no dots. */}}
{{- define "spillway.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | replace "." "-" | trunc 40 | trimAll "-" -}}
{{- end -}}
{{- end -}}

{{/* The Secret with the serving certificate of webhook and extender. */}}
{{- define "spillway.tlsSecret" -}}
{{- if eq .Values.certificates.source "provided" -}}
{{- .Values.certificates.provided.secretName -}}
{{- else if eq .Values.certificates.source "certManager" -}}
{{- /* Another than the issuer's: Helm takes over nothing that cert-manager made, and the type of a Secret stays. */ -}}
{{- include "spillway.fullname" . }}-cert-manager-tls
{{- else -}}
{{- include "spillway.fullname" . }}-tls
{{- end -}}
{{- end -}}

{{- define "spillway.schedulerName" -}}
{{- default (printf "%s-scheduler" (include "spillway.fullname" .)) .Values.scheduler.name -}}
{{- end -}}

{{/* What a Deployment selects by; takes (dict "root" $ "component" "webhook"), as most below do. */}}
{{- define "spillway.selector" -}}
app.kubernetes.io/name: {{ include "spillway.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "spillway.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "spillway.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: spillway
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* metadata of an object of a component: name, namespace unless `cluster`, labels, annotations. */}}
{{- define "spillway.metadata" -}}
name: {{ default (printf "%s-%s" (include "spillway.fullname" .root) .component) .name }}
{{- if not .cluster }}
namespace: {{ default .root.Release.Namespace .namespace }}
{{- end }}
labels:
  {{- include "spillway.labels" . | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "spillway.serviceAccountName" -}}
{{- $account := (get .root.Values .component).serviceAccount | default (dict "create" true) -}}
{{- default (ternary (printf "%s-%s" (include "spillway.fullname" .root) .component) "default" $account.create) $account.name -}}
{{- end -}}

{{/* An image reference, of (dict "image" .Values.image "tag" "what an empty tag means"). */}}
{{- define "spillway.imageOf" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (default .tag .image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "spillway.image" -}}
{{- include "spillway.imageOf" (dict "image" .Values.image "tag" .Chart.AppVersion) -}}
{{- end -}}

{{/* The names of the virtual nodes that this release's bridge keeps, as a JSON list. */}}
{{- define "spillway.bridgeNodes" -}}
{{- $names := list -}}
{{- if .Values.bridge.enabled -}}
{{- range .Values.bridge.nodes -}}
{{- $names = append $names .name -}}
{{- else -}}
{{- $names = append $names .Values.bridge.settings.nodeName -}}
{{- end -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}
