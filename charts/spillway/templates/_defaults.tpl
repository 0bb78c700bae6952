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
{{- else if and (kindIs "map" $default) (not (has $name (list "labels" "nodeSelector" "podSecurityContext" "resources" "securityContext"))) -}}
{{- include "spillway.fill" (dict "into" $found "from" $default) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "spillway.defaults" -}}
{
 "nameOverride": "",
 "fullnameOverride": "",
 "commonLabels": {},
 "commonAnnotations": {},
 "actuator": "toleration",
 "logLevel": "info",
 "logFormat": "json",
 "image": {
  "repository": "spillway",
  "tag": "",
  "digest": "",
  "pullPolicy": "IfNotPresent"
 },
 "imagePullSecrets": [],
 "nodeSelector": {},
 "tolerations": [],
 "priorityClassName": "system-cluster-critical",
 "podSecurityContext": {
  "runAsNonRoot": true,
  "runAsUser": 65532,
  "runAsGroup": 65532,
  "fsGroup": 65532,
  "seccompProfile": {
   "type": "RuntimeDefault"
  }
 },
 "securityContext": {
  "allowPrivilegeEscalation": false,
  "readOnlyRootFilesystem": true,
  "capabilities": {
   "drop": [
    "ALL"
   ]
  }
 },
 "revisionHistoryLimit": 3,
 "rbac": {
  "create": true,
  "overflowNamespaces": []
 },
 "certificates": {
  "source": "selfSigned",
  "certManager": {
   "issuerRef": {},
   "duration": "2160h",
   "renewBefore": "720h"
  },
  "provided": {
   "secretName": "",
   "caBundle": ""
  }
 },
 "webhook": {
  "enabled": true,
  "replicas": 2,
  "timeoutSeconds": 5,
  "excludedNamespaces": [
   "kube-system"
  ],
  "settings": {
   "host": "0.0.0.0",
   "port": 8443,
   "schedulerName": ""
  },
  "serviceAccount": {
   "create": true,
   "name": "",
   "annotations": {}
  },
  "podAnnotations": {},
  "podLabels": {},
  "resources": {
   "requests": {
    "cpu": "50m",
    "memory": "128Mi"
   },
   "limits": {
    "cpu": "1",
    "memory": "256Mi"
   }
  },
  "hostNetwork": false,
  "env": [],
  "extraVolumes": [],
  "extraVolumeMounts": [],
  "nodeSelector": {
   "kubernetes.io/os": "linux"
  },
  "tolerations": [],
  "affinity": {},
  "topologySpreadConstraints": [],
  "podDisruptionBudget": {
   "enabled": true,
   "maxUnavailable": 1
  }
 },
 "extender": {
  "enabled": true,
  "replicas": 2,
  "virtualNodes": [],
  "settings": {
   "host": "0.0.0.0",
   "port": 8443,
   "highWatermark": 0.9,
   "lowWatermark": 0.75,
   "dwell": "60s",
   "maxWait": "0s",
   "grantTtl": "60s",
   "gate": "auto",
   "maxPods": null,
   "maxVcpu": null,
   "maxHourlyCost": null,
   "observeFile": null,
   "priorityClasses": [],
   "returnHome": true,
   "returnAfter": "300s",
   "returnBatch": 2,
   "returnHoldOff": "600s",
   "returnJobs": false,
   "handover": false,
   "handoverTimeout": "900s",
   "handoverMaxNodes": 10,
   "nodeShape": "",
   "nodeHourlyPrice": null,
   "nodeStay": "3600s",
   "placeholderImage": "registry.k8s.io/pause:3.10",
   "placeholderPriorityClass": "spillway-placeholder",
   "fargateStart": "45s",
   "arrivalMargin": "15s",
   "settling": "10s",
   "earlyBurst": false,
   "earlyRoom": 2,
   "leaseDuration": "15s"
  },
  "serviceAccount": {
   "create": true,
   "name": "",
   "annotations": {}
  },
  "podAnnotations": {},
  "podLabels": {},
  "resources": {
   "requests": {
    "cpu": "100m",
    "memory": "256Mi"
   },
   "limits": {
    "cpu": "2",
    "memory": "1Gi"
   }
  },
  "hostNetwork": false,
  "env": [],
  "extraVolumes": [],
  "extraVolumeMounts": [],
  "nodeSelector": {
   "kubernetes.io/os": "linux"
  },
  "tolerations": [],
  "affinity": {},
  "topologySpreadConstraints": [],
  "podDisruptionBudget": {
   "enabled": true,
   "maxUnavailable": 1
  }
 },
 "bridge": {
  "enabled": true,
  "replicas": 1,
  "nodes": [],
  "helperFromImage": true,
  "kubeletTls": {
   "existingSecret": ""
  },
  "kubeletClientCa": {
   "existingConfigMap": "",
   "key": "ca.crt"
  },
  "settings": {
   "nodeName": "fargate",
   "leaseDuration": "40s",
   "zone": "",
   "region": "",
   "providerId": "",
   "kubeletHost": "0.0.0.0",
   "kubeletPort": 10250,
   "kubeletCertSigner": "kubernetes.io/kubelet-serving",
   "kubeletCertApprove": false,
   "kubeletClientNames": [],
   "probeHost": "0.0.0.0",
   "probePort": 8080,
   "capacityCpu": "1000",
   "capacityMemory": "4000Gi",
   "capacityPods": "1000",
   "ecsCluster": "spillway",
   "subnets": [],
   "securityGroups": [],
   "assignPublicIp": false,
   "executionRole": "",
   "taskRole": "",
   "logGroup": "/spillway/pods",
   "logMode": "non-blocking",
   "logsPerSecond": 0,
   "architecture": "amd64",
   "capacity": "on-demand",
   "exec": "auto",
   "helperImage": "",
   "clusterDomain": "",
   "kubernetesHost": "",
   "kubernetesPort": 443,
   "ebsRole": "",
   "eksCluster": "",
   "eventsQueue": "",
   "giveBackAfter": "600s",
   "usagePeriod": "20s"
  },
  "serviceAccount": {
   "create": true,
   "name": "",
   "annotations": {}
  },
  "podAnnotations": {},
  "podLabels": {},
  "resources": {
   "requests": {
    "cpu": "100m",
    "memory": "256Mi"
   },
   "limits": {
    "cpu": "2",
    "memory": "512Mi"
   }
  },
  "hostNetwork": false,
  "env": [],
  "extraVolumes": [],
  "extraVolumeMounts": [],
  "nodeSelector": {
   "kubernetes.io/os": "linux"
  },
  "tolerations": [],
  "affinity": {},
  "topologySpreadConstraints": [],
  "podDisruptionBudget": {
   "enabled": true,
   "maxUnavailable": 1
  }
 },
 "issuer": {
  "settings": {
   "extraNames": [],
   "leafValidity": "90d",
   "renewBefore": "30d",
   "caValidity": "3650d",
   "propagation": "600s",
   "probeHost": "0.0.0.0",
   "probePort": 8080
  },
  "serviceAccount": {
   "create": true,
   "name": "",
   "annotations": {}
  },
  "podAnnotations": {},
  "podLabels": {},
  "resources": {
   "requests": {
    "cpu": "10m",
    "memory": "128Mi"
   },
   "limits": {
    "cpu": "500m",
    "memory": "256Mi"
   }
  },
  "env": [],
  "nodeSelector": {
   "kubernetes.io/os": "linux"
  },
  "tolerations": [],
  "affinity": {}
 },
 "scheduler": {
  "enabled": false,
  "name": "",
  "replicas": 2,
  "image": {
   "repository": "registry.k8s.io/kube-scheduler",
   "tag": "",
   "digest": "",
   "pullPolicy": "IfNotPresent"
  },
  "profile": {},
  "httpTimeout": "2s",
  "qps": 100,
  "extraArgs": [],
  "env": [],
  "serviceAccount": {
   "create": true,
   "name": "",
   "annotations": {}
  },
  "podAnnotations": {},
  "podLabels": {},
  "resources": {
   "requests": {
    "cpu": "100m",
    "memory": "128Mi"
   },
   "limits": {
    "cpu": "2",
    "memory": "2Gi"
   }
  },
  "nodeSelector": {
   "kubernetes.io/os": "linux"
  },
  "tolerations": [],
  "affinity": {},
  "topologySpreadConstraints": [],
  "podDisruptionBudget": {
   "enabled": true,
   "maxUnavailable": 1
  }
 },
 "drainOnUninstall": true,
 "drain": {
  "timeoutSeconds": 240,
  "force": false,
  "stopBarePods": false,
  "serviceAccount": {
   "create": true,
   "name": "",
   "annotations": {}
  },
  "podAnnotations": {},
  "podLabels": {},
  "nodeSelector": {
   "kubernetes.io/os": "linux"
  },
  "tolerations": [],
  "resources": {
   "requests": {
    "cpu": "50m",
    "memory": "192Mi"
   },
   "limits": {
    "cpu": "1",
    "memory": "512Mi"
   }
  }
 },
 "doctor": {
  "enabled": true,
  "serviceAccount": {
   "create": true,
   "name": "",
   "annotations": {}
  },
  "podAnnotations": {},
  "podLabels": {},
  "nodeSelector": {
   "kubernetes.io/os": "linux"
  },
  "tolerations": [],
  "resources": {
   "requests": {
    "cpu": "50m",
    "memory": "192Mi"
   },
   "limits": {
    "cpu": "1",
    "memory": "512Mi"
   }
  }
 },
 "networkPolicy": {
  "enabled": false,
  "apiServerCidrs": [],
  "monitoringPeers": [],
  "schedulerPeers": [],
  "taskCidrs": []
 },
 "monitoring": {
  "serviceMonitor": {
   "enabled": false,
   "labels": {},
   "interval": "30s",
   "scrapeTimeout": "10s"
  },
  "prometheusRule": {
   "enabled": false,
   "labels": {},
   "alertLabels": {},
   "disabled": [],
   "runbookUrl": ""
  },
  "grafanaDashboard": {
   "enabled": false,
   "labels": {
    "grafana_dashboard": "1"
   },
   "annotations": {}
  }
 }
}
{{- end -}}
