{{/* What values.schema.json cannot say in words: every fault at once, each with the mend. */}}
{{- define "spillway.check" -}}
{{- $faults := list -}}
{{- $bridge := .Values.bridge -}}
{{- if not (regexMatch "^[a-z]" (include "spillway.fullname" .)) -}}
{{- $faults = append $faults (printf "fullnameOverride: names of Services begin with a letter, and the release is called %s; give another" .Release.Name) -}}
{{- end -}}
{{- if $bridge.enabled -}}
{{- $lacking := list -}}
{{- range $bridge.nodes -}}
{{- if not (or .subnets $bridge.settings.subnets) -}}
{{- $lacking = append $lacking .name -}}
{{- end -}}
{{- end -}}
{{- if $lacking -}}
{{- $faults = append $faults (printf "bridge.nodes: give subnets to %s, or to all by bridge.settings.subnets" (join ", " $lacking)) -}}
{{- else if not (or $bridge.nodes $bridge.settings.subnets) -}}
{{- $faults = append $faults "bridge.settings.subnets: a Fargate task needs a subnet, for instance [subnet-0abc]; `spillway aws init` prints these values" -}}
{{- end -}}
{{- if not $bridge.settings.executionRole -}}
{{- $faults = append $faults "bridge.settings.executionRole: Fargate pulls images and writes logs with a role; `spillway aws init` makes one and prints its ARN" -}}
{{- end -}}
{{- if and $bridge.hostNetwork (has 10250.0 (include "spillway.kubeletPorts" . | fromJsonArray)) -}}
{{- $faults = append $faults "bridge.hostNetwork: port 10250 of a node is its own kubelet's; give another bridge.settings.kubeletPort" -}}
{{- end -}}
{{- if and $bridge.settings.kubeletCertApprove (or $bridge.kubeletTls.existingSecret (not $bridge.settings.kubeletCertSigner)) -}}
{{- $faults = append $faults "bridge.settings.kubeletCertApprove: approves requests to kubeletCertSigner; name the signer, and no bridge.kubeletTls.existingSecret" -}}
{{- end -}}
{{- if not (or $bridge.settings.kubeletCertSigner $bridge.kubeletTls.existingSecret) -}}
{{- $faults = append $faults "bridge.settings.kubeletCertSigner: the node's API serves HTTPS alone; name a signer, or give bridge.kubeletTls.existingSecret" -}}
{{- end -}}
{{- $ports := include "spillway.kubeletPorts" . | fromJsonArray -}}
{{- if ne (len $ports) (len (uniq $ports)) -}}
{{- $faults = append $faults "bridge.nodes: each needs a kubeletPort of its own; without one they count up from bridge.settings.kubeletPort" -}}
{{- end -}}
{{- if has (float64 $bridge.settings.probePort) $ports -}}
{{- $faults = append $faults "bridge.settings.probePort: is a node's kubeletPort, too; give another" -}}
{{- end -}}
{{- range $ports -}}
{{- if gt . 65535.0 -}}
{{- $faults = append $faults (printf "bridge.nodes: kubeletPort counts up to %v, and the last port is 65535" .) -}}
{{- end -}}
{{- end -}}
{{- $names := include "spillway.bridgeNodes" . | fromJsonArray -}}
{{- if ne (len $names) (len (uniq $names)) -}}
{{- $faults = append $faults "bridge.nodes: each needs a name of its own" -}}
{{- end -}}
{{- end -}}
{{- $shares := and .Values.webhook.enabled .Values.webhook.hostNetwork .Values.extender.enabled .Values.extender.hostNetwork -}}
{{- if and $shares (eq (int .Values.webhook.settings.port) (int .Values.extender.settings.port)) -}}
{{- $faults = append $faults "extender.hostNetwork: the webhook has the same port on the node's network; give another extender.settings.port" -}}
{{- end -}}
{{- if ge (float64 .Values.extender.settings.lowWatermark) (float64 .Values.extender.settings.highWatermark) -}}
{{- $faults = append $faults "extender.settings.lowWatermark: must be less than highWatermark" -}}
{{- end -}}
{{- if and .Values.scheduler.enabled .Values.webhook.settings.schedulerName (ne .Values.webhook.settings.schedulerName (include "spillway.schedulerName" .)) -}}
{{- $faults = append $faults (printf "webhook.settings.schedulerName: is %s with scheduler.enabled; leave it empty, or set scheduler.name" (include "spillway.schedulerName" .)) -}}
{{- end -}}
{{- if and (eq .Values.certificates.source "selfSigned") (or .Values.webhook.enabled .Values.extender.enabled) -}}
{{- $secret := include "spillway.tlsSecret" . -}}
{{- $found := lookup "v1" "Secret" .Release.Namespace $secret -}}
{{- if ne (default "Opaque" $found.type) "Opaque" -}}
{{- $faults = append $faults (printf "certificates.source: the issuer's Secret %s is there, of type %s, which cannot be changed: kubectl -n %s delete secret %s" $secret $found.type .Release.Namespace $secret) -}}
{{- end -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "these values cannot work:\n- %s" (join "\n- " $faults)) -}}
{{- end -}}
{{- end -}}
