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
{{- $own := .Values.issuer.settings -}}
{{- $renewed := include "spillway.milliseconds" $own.renewBefore | int64 -}}
{{- if ge $renewed (include "spillway.milliseconds" $own.leafValidity | int64) -}}
{{- $faults = append $faults "issuer.settings.renewBefore: must be shorter than leafValidity, for instance a third of it" -}}
{{- end -}}
{{- if ge (include "spillway.milliseconds" $own.propagation | int64) $renewed -}}
{{- $faults = append $faults "issuer.settings.propagation: must be shorter than renewBefore, or pods get a new certificate too late" -}}
{{- end -}}
{{- if lt (include "spillway.milliseconds" $own.caValidity | int64) (mul 10 $renewed) -}}
{{- $faults = append $faults "issuer.settings.caValidity: give at least ten times renewBefore: the next CA signs during the last tenth of its life" -}}
{{- end -}}
{{- $found := lookup "v1" "Secret" .Release.Namespace $secret -}}
{{- if ne (default "Opaque" $found.type) "Opaque" -}}
{{- $faults = append $faults (printf "certificates.source: the issuer's Secret %s is there, of type %s, which cannot be changed: kubectl -n %s delete secret %s" $secret $found.type .Release.Namespace $secret) -}}
{{- end -}}
{{- end -}}
{{- $given := .Values.certificates.certManager -}}
{{- if and (eq .Values.certificates.source "certManager") (ge (include "spillway.milliseconds" $given.renewBefore | int64) (include "spillway.milliseconds" $given.duration | int64)) -}}
{{- $faults = append $faults "certificates.certManager.renewBefore: must be shorter than duration, or cert-manager refuses the Certificate" -}}
{{- end -}}
{{- $monitor := .Values.monitoring.serviceMonitor -}}
{{- if and $monitor.enabled (gt (include "spillway.milliseconds" $monitor.scrapeTimeout | int64) (include "spillway.milliseconds" $monitor.interval | int64)) -}}
{{- $faults = append $faults "monitoring.serviceMonitor.scrapeTimeout: must not be longer than interval, or the Prometheus operator drops the monitors" -}}
{{- end -}}
{{- $alerts := list -}}
{{- range (fromYaml (.Files.Get "rules/alerts.yaml")).groups -}}
{{- range .rules -}}
{{- $alerts = append $alerts .alert -}}
{{- end -}}
{{- end -}}
{{- range .Values.monitoring.prometheusRule.disabled -}}
{{- if not (has . $alerts) -}}
{{- $faults = append $faults (printf "monitoring.prometheusRule.disabled: there is no %s; rules/alerts.yaml has the names" .) -}}
{{- end -}}
{{- end -}}
{{- range $least := include "spillway.leastTimes" . | fromJsonArray -}}
{{- $value := get (get $.Values $least.program).settings $least.name -}}
{{- if lt (include "spillway.milliseconds" $value | int64) (mul 1000 (int $least.seconds)) -}}
{{- $faults = append $faults (printf "%s.settings.%s: give %vs or more" $least.program $least.name $least.seconds) -}}
{{- end -}}
{{- end -}}
{{- range $component := include "spillway.accounts" . | fromJsonArray -}}
{{- $account := (get $.Values $component).serviceAccount -}}
{{- if not (or $account.create $account.name) -}}
{{- $faults = append $faults (printf "%s.serviceAccount.name: name the account that is there, or its rights go to the namespace's default one" $component) -}}
{{- end -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "these values cannot work:\n- %s" (join "\n- " $faults)) -}}
{{- end -}}
{{- end -}}

{{/* A duration as people write it (90, 90s, 1h30m, 30d, 500ms), in milliseconds. */}}
{{- define "spillway.milliseconds" -}}
{{- $units := dict "d" 86400000 "h" 3600000 "m" 60000 "s" 1000 "" 1000 "ms" 1 -}}
{{- $sum := 0 -}}
{{- range regexFindAll "[0-9]+(ms|[dhms])?" . -1 -}}
{{- $sum = add $sum (mul (regexFind "[0-9]+" . | float64 | int64) (get $units (regexFind "[a-z]*$" .))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{/* What the programs would refuse at their start. */}}
{{- define "spillway.leastTimes" -}}
{{- $least := list -}}
{{- if .Values.bridge.enabled -}}
{{- $least = append $least (dict "program" "bridge" "name" "leaseDuration" "seconds" 4) -}}
{{- $least = append $least (dict "program" "bridge" "name" "usagePeriod" "seconds" 1) -}}
{{- end -}}
{{- if .Values.extender.enabled -}}
{{- $least = append $least (dict "program" "extender" "name" "leaseDuration" "seconds" 3) -}}
{{- $least = append $least (dict "program" "extender" "name" "nodeStay" "seconds" 1) -}}
{{- $least = append $least (dict "program" "extender" "name" "handoverTimeout" "seconds" 1) -}}
{{- end -}}
{{- toJson $least -}}
{{- end -}}

{{/* What has an account in this release, as a JSON list. */}}
{{- define "spillway.accounts" -}}
{{- $found := list -}}
{{- range list "webhook" "extender" "bridge" "scheduler" -}}
{{- if (get $.Values .).enabled -}}
{{- $found = append $found . -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.certificates.source "selfSigned") (or .Values.webhook.enabled .Values.extender.enabled) -}}
{{- $found = append $found "issuer" -}}
{{- end -}}
{{- if and .Values.drainOnUninstall .Values.bridge.enabled -}}
{{- $found = append $found "drain" -}}
{{- end -}}
{{- if and .Values.doctor.enabled .Values.extender.enabled -}}
{{- $found = append $found "doctor" -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}
