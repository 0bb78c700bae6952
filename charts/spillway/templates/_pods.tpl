{{/* What the pods of all programs have in common; each takes (dict "root" $ "component" "webhook"). */}}

{{- define "spillway.podMetadata" -}}
{{- $own := get .root.Values .component -}}
labels:
  {{- include "spillway.selector" . | nindent 2 }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  app.kubernetes.io/part-of: spillway
  {{- with merge (dict) $own.podLabels .root.Values.commonLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) $own.podAnnotations .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "spillway.podSpec" -}}
{{- $own := get .root.Values .component -}}
enableServiceLinks: false
serviceAccountName: {{ .account | default (include "spillway.serviceAccountName" .) }}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- if $own.hostNetwork }}
hostNetwork: true
dnsPolicy: ClusterFirstWithHostNet
{{- end }}
{{- with merge (dict) ($own.nodeSelector | default dict) .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat .root.Values.tolerations $own.tolerations | uniq }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Replicas on different nodes and in different zones, as far as there are several. */}}
{{- define "spillway.spread" -}}
{{- $own := get .root.Values .component -}}
affinity:
  {{- if $own.affinity }}
  {{- toYaml $own.affinity | nindent 2 }}
  {{- else }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "spillway.selector" . | nindent 14 }}
  {{- end }}
topologySpreadConstraints:
  {{- if $own.topologySpreadConstraints }}
  {{- toYaml $own.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "spillway.selector" . | nindent 8 }}
  {{- end }}
{{- end -}}

{{- define "spillway.container" -}}
name: {{ .component }}
image: {{ include "spillway.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: [{{ .component }}]
securityContext:
  {{- toYaml .root.Values.securityContext | nindent 2 }}
resources:
  {{- toYaml (get .root.Values .component).resources | nindent 2 }}
{{- end -}}

{{/* Requests under way are finished, and none begins: endpoints are told of the end before the program is. */}}
{{- define "spillway.preStop" -}}
lifecycle:
  preStop:
    sleep:
      seconds: 5
{{- end -}}

{{- define "spillway.probes" -}}
startupProbe:
  {{- include "spillway.probe" (merge (dict "path" "/healthz") .) | nindent 2 }}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  {{- include "spillway.probe" (merge (dict "path" "/healthz") .) | nindent 2 }}
  periodSeconds: 10
  failureThreshold: 6
readinessProbe:
  {{- include "spillway.probe" (merge (dict "path" "/readyz") .) | nindent 2 }}
  periodSeconds: 5
  failureThreshold: 2
{{- end -}}

{{- define "spillway.probe" -}}
httpGet:
  path: {{ .path }}
  port: {{ .port }}
  scheme: {{ upper .port }}
timeoutSeconds: 5
{{- end -}}

{{/* Room for temporary files beside the read-only root, in memory: keys pass through it. */}}
{{- define "spillway.tmpVolume" -}}
- name: tmp
  emptyDir:
    medium: Memory
    sizeLimit: 16Mi
{{- end -}}

{{/* Only the keys that a server needs; the pod waits until the Secret has them. */}}
{{- define "spillway.tlsVolume" -}}
- name: tls
  secret:
    secretName: {{ include "spillway.tlsSecret" . }}
    defaultMode: 0440
    items:
      - {key: tls.crt, path: tls.crt}
      - {key: tls.key, path: tls.key}
{{- end -}}

{{- define "spillway.pdb" -}}
{{- $own := get .root.Values .component -}}
{{- if and $own.podDisruptionBudget.enabled (gt (int $own.replicas) 1) }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "spillway.metadata" . | nindent 2 }}
spec:
  maxUnavailable: {{ $own.podDisruptionBudget.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "spillway.selector" . | nindent 6 }}
{{- end }}
{{- end -}}

{{- define "spillway.serviceAccount" -}}
{{- $account := (get .root.Values .component).serviceAccount -}}
{{- if $account.create }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "spillway.metadata" (merge (dict "name" (include "spillway.serviceAccountName" .) "annotations" $account.annotations) .) | nindent 2 }}
automountServiceAccountToken: {{ not .tokenless }}
{{- end }}
{{- end -}}

{{/* A ClusterRole or Role with its binding, of (dict "root" $ "component" … "rules" "yaml" ["namespace" …, "name" …, "of" …]). */}}
{{- define "spillway.clusterRole" }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  {{- include "spillway.metadata" (merge (dict "cluster" true) .) | nindent 2 }}
rules:
  {{- .rules | nindent 2 }}
---
{{ include "spillway.clusterRoleBinding" (merge (dict "role" (default (printf "%s-%s" (include "spillway.fullname" .root) .component) .name)) .) }}
{{- end -}}

{{- define "spillway.clusterRoleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  {{- include "spillway.metadata" (merge (dict "cluster" true) .) | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ .role }}
subjects:
  {{- include "spillway.subject" . | nindent 2 }}
{{- end -}}

{{- define "spillway.role" }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "spillway.metadata" . | nindent 2 }}
rules:
  {{- .rules | nindent 2 }}
---
{{ include "spillway.roleBinding" (merge (dict "role" (default (printf "%s-%s" (include "spillway.fullname" .root) .component) .name)) .) }}
{{- end -}}

{{- define "spillway.roleBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "spillway.metadata" . | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ .role }}
subjects:
  {{- include "spillway.subject" . | nindent 2 }}
{{- end -}}

{{/* The component's account, or that `of` another. */}}
{{- define "spillway.subject" -}}
- kind: ServiceAccount
  name: {{ include "spillway.serviceAccountName" (merge (dict "component" (default .component .of)) .) }}
  namespace: {{ .root.Release.Namespace }}
{{- end -}}
