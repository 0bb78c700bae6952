"""The names that users see: labels, annotations, taint, variables. One place, so that they never drift."""

from typing import Final, NewType

PodUid = NewType("PodUid", str)
"""A pod's `metadata.uid`: the only identity that survives a name's reuse."""

TaskArn = NewType("TaskArn", str)
"""An ECS task's ARN: `arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID`."""

OVERFLOW: Final = "spillway.dev/overflow"
"""Label. On a namespace: `enabled` or `permitted`. On a pod: `enabled`, `disabled` or `required`."""

ENABLED: Final = "enabled"
DISABLED: Final = "disabled"
REQUIRED: Final = "required"
PERMITTED: Final = "permitted"

MARKER: Final = "spillway.dev/overflow"
"""Extended resource that no node has. The scheduler asks about pods that ask for 0 (`app.webhook.marker`)."""

TOLERANT: Final = "tolerant"
"""The webhook's path, beside `enabled` and `permitted`, for pods that bear the virtual nodes' taint."""

MAX_WAIT: Final = "spillway.dev/max-wait"
"""Pod annotation: how long to wait for a real node before Fargate, as `90`, `90s`, `2m` or `1h30m`."""

GRANTS: Final = "spillway.dev/grants"
"""Annotation on the virtual node: the pods that may land there (`app.model.grant`)."""

OFFER: Final = "spillway.dev/offer"
"""Annotation on the virtual node: prices and quotas, by the bridge (`app.model.offer`)."""

GATE: Final = "spillway.dev/gate"
"""Annotation on the virtual node, for people: `auto`, `closed`, `open` or `observe`."""

MAX_PODS: Final = "spillway.dev/max-pods"
MAX_VCPU: Final = "spillway.dev/max-vcpu"
MAX_HOURLY_COST: Final = "spillway.dev/max-hourly-cost"
"""Namespace annotations: how many overflow pods, vCPUs and US dollars an hour it may have at once."""

POLICY: Final = "spillway.dev/policy"
"""Annotation on the virtual node: what the extender's leader decides by (`app.extender.insight.policy`)."""

EARLY: Final = "spillway.dev/early-burst"
"""Pod annotation: `allowed` lets it onto Fargate before real nodes are full; needs `--early-burst`."""

EARLY_ALLOWED: Final = "allowed"

EARLY_ROOM: Final = "spillway.dev/early"
"""Annotation on the virtual node: whose pods may land there early (`app.model.early`)."""

RETURNS: Final = "spillway.dev/returns"
"""Annotation on the virtual node: how the latest returns of its pods went (`app.extender.homing.trials`)."""

PLACEHOLDER_FOR: Final = "spillway.dev/placeholder-for"
"""Label of a placeholder pod: the uid of the overflow pod that it asks for a node for."""

PLACEHOLDER_OF: Final = "spillway.dev/placeholder-of"
"""Annotation of a placeholder pod: the same pod as `namespace/name`, for people."""

ATTEMPT: Final = "spillway.dev/attempt"
"""Pod annotation: the number of the launch that was begun; written before RunTask."""

ATTEMPTED_AT: Final = "spillway.dev/attempted-at"
"""Pod annotation: when the attempt was begun, RFC 3339; tells how long ECS still remembers its outcome."""

LOG_GROUP: Final = "spillway.dev/log-group"
"""Pod annotation: the log group that the attempt's task writes to; the setting may have changed since."""

ATTEMPT_OF: Final = "spillway.dev/attempt-of"
"""Pod annotation: the uid of the pod that the attempt is of. Copies of a pod copy its annotations, too."""

TASK_ARN: Final = "spillway.dev/task-arn"
"""Pod annotation: the task that carries this pod; written after RunTask answered."""

DELETION_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
"""https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost"""

TAINT_KEY: Final = "virtual-kubelet.io/provider"
TAINT_VALUE: Final = "fargate"
TAINT_EFFECT: Final = "NoSchedule"

NODE_TYPE_LABEL: Final = "type"
VIRTUAL_KUBELET: Final = "virtual-kubelet"
COMPUTE_TYPE_LABEL: Final = "eks.amazonaws.com/compute-type"
COMPUTE_TYPE: Final = "fargate"
EXCLUDE_FROM_LOAD_BALANCERS: Final = "node.kubernetes.io/exclude-from-external-load-balancers"
OS_LABEL: Final = "kubernetes.io/os"
ARCH_LABEL: Final = "kubernetes.io/arch"
ZONE_LABEL: Final = "topology.kubernetes.io/zone"
INSTANCE_TYPE_LABEL: Final = "node.kubernetes.io/instance-type"
REGION_LABEL: Final = "topology.kubernetes.io/region"

GATE_LEASE: Final = "spillway-gate"
"""Lease that the extender's leader holds; the bridge closes the node when it goes stale."""

OFFER_MANAGER: Final = "spillway-offer"
BRIDGE_MANAGER: Final = "spillway-bridge"
GATE_MANAGER: Final = "spillway-gate"
"""Field managers of server-side apply: the bridge's node status and the gate's room are disjoint."""

HOMING_MANAGER: Final = "spillway-homing"
"""Field manager of the annotation `RETURNS` alone."""

POLICY_MANAGER: Final = "spillway-policy"
"""Field manager of the annotation `POLICY` alone."""

IDENTITY_VARIABLE: Final = "SPILLWAY_POD"
"""Environment variable in every container's override: whose task this is (`app.model.task.Identity`)."""

ATTEMPT_VARIABLE: Final = "SPILLWAY_ATTEMPT"
"""Environment variable in every container's override: the attempt that launched the task."""

CAPACITY: Final = "spillway.dev/capacity"
"""Pod annotation: `on-demand`, `spot` or `spot-first`."""

ATTEMPTED_ON: Final = "spillway.dev/attempted-on"
"""Pod annotation: the capacity of the attempt that was begun, `on-demand` or `spot`."""

OF_ATTEMPTS: Final = frozenset({ATTEMPT, ATTEMPTED_AT, ATTEMPTED_ON, LOG_GROUP, ATTEMPT_OF, TASK_ARN})
"""Pod annotations that the bridge writes while it launches; they differ from try to try."""

ALLOWED_ROLES: Final = "spillway.dev/allowed-roles"
"""Namespace annotation: patterns of role ARNs, with commas, that its pods may have as task role."""

SECURITY_GROUPS: Final = "spillway.dev/security-groups"
"""Namespace annotation: security groups of its pods' tasks, with commas, in place of the bridge's."""

NETWORK_POLICIES: Final = "spillway.dev/network-policies"
"""Namespace annotation: `ignored` lets pods overflow that a NetworkPolicy selects; it does not bind tasks."""

KUBE2IAM_ROLE: Final = "iam.amazonaws.com/role"
IRSA_ROLE: Final = "eks.amazonaws.com/role-arn"

PLAN_VARIABLE: Final = "SPILLWAY_PLAN"
OWN_PLAN_VARIABLE: Final = "SPILLWAY_PLAN_OWN"
RUN_VARIABLE: Final = "SPILLWAY_RUN"
SEAL_KEY_VARIABLE: Final = "SPILLWAY_KEY"
"""Environment variables of the in-task helper (helper/README.md)."""

INSTALL_CONTAINER: Final = "spillway-install"
KEEPER_CONTAINER: Final = "spillway-keeper"
HELPER_PATH: Final = "/spillway/bin/helper"
"""Where the in-task helper stands in the containers that it goes before (helper/README.md)."""

HELPER_VOLUME: Final = "spillway"
"""Containers and the volume that the helper brings into a task."""
