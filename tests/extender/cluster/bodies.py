"""What autoscalers write, as they write it, and how a test reads it."""

import json
from typing import Any

import msgspec

from app.model.node_claim import NodeClaim

CLAIM: dict[str, Any] = {
    "apiVersion": "karpenter.sh/v1",
    "kind": "NodeClaim",
    "metadata": {
        "name": "default-7lh6k",
        "generateName": "default-",
        "uid": "9a5a4d7a-4c8e-4e24-a1b5-5f0d2a3b7c11",
        "resourceVersion": "18354",
        "generation": 1,
        "creationTimestamp": "2026-01-01T11:59:30Z",
        "finalizers": ["karpenter.sh/termination"],
        "labels": {
            "karpenter.k8s.aws/instance-category": "c",
            "karpenter.k8s.aws/instance-cpu": "8",
            "karpenter.sh/capacity-type": "spot",
            "karpenter.sh/nodepool": "default",
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": "c6a.2xlarge",
            "topology.kubernetes.io/region": "eu-west-2",
            "topology.kubernetes.io/zone": "eu-west-2a",
        },
        "annotations": {"karpenter.sh/nodepool-hash": "6821555240594823858"},
        "ownerReferences": [
            {
                "apiVersion": "karpenter.sh/v1",
                "blockOwnerDeletion": True,
                "kind": "NodePool",
                "name": "default",
                "uid": "1f7e0a86-2bf0-4f4e-b9a1-0a4d7f6c2d52",
            }
        ],
    },
    "spec": {
        "expireAfter": "720h",
        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"},
        "requirements": [
            {"key": "karpenter.sh/nodepool", "operator": "In", "values": ["default"]},
            {"key": "karpenter.k8s.aws/instance-family", "operator": "In", "values": ["c6a"]},
            {"key": "karpenter.k8s.aws/instance-generation", "operator": "Gt", "values": ["2"]},
            {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["eu-west-2a", "eu-west-2b"]},
            {
                "key": "node.kubernetes.io/instance-type",
                "operator": "In",
                "values": ["c6a.2xlarge", "c6a.4xlarge"],
                "minValues": 2,
            },
        ],
        "resources": {"requests": {"cpu": "3250m", "memory": "3Gi", "pods": "7"}},
        "startupTaints": [{"effect": "NoExecute", "key": "node.cilium.io/agent-not-ready", "value": "true"}],
        "taints": [{"effect": "NoSchedule", "key": "team", "value": "shop"}],
    },
    "status": {
        "allocatable": {
            "cpu": "7910m",
            "ephemeral-storage": "17Gi",
            "memory": "14162Mi",
            "pods": "58",
            "vpc.amazonaws.com/pod-eni": "38",
        },
        "capacity": {"cpu": "8", "ephemeral-storage": "20Gi", "memory": "15155Mi", "pods": "58"},
        "conditions": [
            {"lastTransitionTime": "2026-01-01T11:59:33Z", "status": "True", "type": "Launched"},
            {"lastTransitionTime": "2026-01-01T11:59:30Z", "status": "Unknown", "type": "Registered"},
            {"lastTransitionTime": "2026-01-01T11:59:30Z", "status": "Unknown", "type": "Initialized"},
            {"lastTransitionTime": "2026-01-01T11:59:30Z", "status": "Unknown", "type": "Ready"},
        ],
        "imageID": "ami-0b1d5a1d8a8b8f6e9",
        "providerID": "aws:///eu-west-2a/i-0cd1463c1d01696c0",
    },
}
"""A claim that is launched; its node has not joined yet."""

PROVIDER = "aws:///eu-west-2a/i-0cd1463c1d01696c0"


def a_claim(
    name: str = "default-7lh6k",
    *,
    metadata: dict[str, Any] | None = None,
    conditions: dict[str, str] | None = None,
    **status: Any,
) -> NodeClaim:
    """That claim with other metadata, statuses of conditions, or fields of its status."""
    body = json.loads(json.dumps(CLAIM))
    body["metadata"] |= {"name": name, **(metadata or {})}
    stands = {each["type"]: each["status"] for each in body["status"]["conditions"]} | (conditions or {})
    body["status"]["conditions"] = [{"type": kind, "status": each} for kind, each in stands.items()]
    body["status"] |= status
    return msgspec.convert(body, NodeClaim)


GROUP = "eks-workers-2cc3f4a6-9c3b-44d5-8a52-0b4f7d1e6a90"
"""The Auto Scaling group that EKS makes for the managed node group `workers`."""

YAML = f"""\
time: 2026-01-01 11:59:55.558615784 +0000 UTC
autoscalerStatus: Running
clusterWide:
  health:
    status: Healthy
    nodeCounts:
      registered:
        total: 9
        ready: 8
        notStarted: 1
      longUnregistered: 0
      unregistered: 2
    lastProbeTime: "2026-01-01T11:59:55.558615784Z"
    lastTransitionTime: "2026-01-01T10:46:22.549253146Z"
  scaleUp:
    status: InProgress
    lastProbeTime: "2026-01-01T11:59:55.558615784Z"
    lastTransitionTime: "2026-01-01T11:59:05.558615784Z"
  scaleDown:
    status: NoCandidates
    lastProbeTime: "2026-01-01T11:59:54.408045905Z"
nodeGroups:
- name: {GROUP}
  health:
    status: Healthy
    nodeCounts:
      registered:
        total: 4
        ready: 2
        notStarted: 1
        beingDeleted: 1
        unready:
          total: 0
          resourceUnready: 0
      longUnregistered: 1
      unregistered: 2
    cloudProviderTarget: 6
    minSize: 1
    maxSize: 10
    lastProbeTime: "2026-01-01T11:59:55.558615784Z"
    lastTransitionTime: "2026-01-01T10:46:22.549253146Z"
  scaleUp:
    status: InProgress
    lastProbeTime: "2026-01-01T11:59:55.558615784Z"
    lastTransitionTime: "2026-01-01T11:59:05.558615784Z"
  scaleDown:
    status: NoCandidates
    lastProbeTime: "2026-01-01T11:59:54.408045905Z"
- name: spot
  health:
    status: Healthy
    nodeCounts:
      registered:
        total: 5
        ready: 5
        notStarted: 0
      longUnregistered: 0
      unregistered: 0
    cloudProviderTarget: 7
    minSize: 0
    maxSize: 20
    lastProbeTime: "2026-01-01T11:59:55.558615784Z"
    lastTransitionTime: "2026-01-01T10:46:22.549253146Z"
  scaleUp:
    status: Backoff
    backoffInfo:
      errorCode: InsufficientInstanceCapacity
      errorMessage: 'could not launch: InProgress elsewhere'
    lastProbeTime: "2026-01-01T11:59:55.558615784Z"
    lastTransitionTime: "2026-01-01T11:52:05.558615784Z"
  scaleDown:
    status: NoCandidates
    lastProbeTime: "2026-01-01T11:59:54.408045905Z"
"""
"""cluster-autoscaler from 1.30 on."""

TEXT = """\
Cluster-autoscaler status at 2026-01-01 11:59:55.335055488 +0000 UTC:
Cluster-wide:
  Health:      Healthy (ready=4 unready=0 (resourceUnready=0) notStarted=1 longNotStarted=0 registered=5 longUnregistered=0)
               LastProbeTime:      2026-01-01 11:59:55.332119893 +0000 UTC m=+82.224475909
               LastTransitionTime: 2026-01-01 11:42:52.673668227 +0000 UTC m=+11.566024230
  ScaleUp:     InProgress (ready=4 registered=5)
               LastProbeTime:      2026-01-01 11:59:55.332119893 +0000 UTC m=+82.224475909
               LastTransitionTime: 2026-01-01 11:59:02.702663909 +0000 UTC m=+21.595019844
  ScaleDown:   NoCandidates (candidates=0)
               LastProbeTime:      2026-01-01 11:59:55.332119893 +0000 UTC m=+82.224475909
               LastTransitionTime: 2026-01-01 11:44:03.332119893 +0000 UTC m=+82.224475909

NodeGroups:
  Name:        workers-bf5999ab
  Health:      Healthy (ready=1 unready=0 (resourceUnready=0) notStarted=0 longNotStarted=0 registered=1 longUnregistered=0 cloudProviderTarget=3 (minSize=1, maxSize=3))
               LastProbeTime:      2026-01-01 11:59:55.332119893 +0000 UTC m=+82.224475909
               LastTransitionTime: 2026-01-01 11:42:52.673668227 +0000 UTC m=+11.566024230
  ScaleUp:     InProgress (ready=1 cloudProviderTarget=3)
               LastProbeTime:      2026-01-01 11:59:55.332119893 +0000 UTC m=+82.224475909
               LastTransitionTime: 2026-01-01 11:59:02.702663909 +0000 UTC m=+21.595019844
  ScaleDown:   NoCandidates (candidates=0)
               LastProbeTime:      2026-01-01 11:59:55.332119893 +0000 UTC m=+82.224475909
               LastTransitionTime: 2026-01-01 11:44:03.332119893 +0000 UTC m=+82.224475909

  Name:        quiet
  Health:      Healthy (ready=3 unready=0 (resourceUnready=0) notStarted=0 longNotStarted=0 registered=3 longUnregistered=0 cloudProviderTarget=4 (minSize=1, maxSize=3))
               LastProbeTime:      2026-01-01 11:59:55.332119893 +0000 UTC m=+82.224475909
               LastTransitionTime: 2026-01-01 11:42:52.673668227 +0000 UTC m=+11.566024230
  ScaleUp:     NoActivity (ready=3 cloudProviderTarget=4)
               LastProbeTime:      2026-01-01 11:59:55.332119893 +0000 UTC m=+82.224475909
               LastTransitionTime: 2026-01-01 11:42:52.673668227 +0000 UTC m=+11.566024230
  ScaleDown:   NoCandidates (candidates=0)
               LastProbeTime:      2026-01-01 11:59:55.332119893 +0000 UTC m=+82.224475909
               LastTransitionTime: 2026-01-01 11:42:52.673668227 +0000 UTC m=+11.566024230

"""  # noqa: E501  (lines as they are written)
"""cluster-autoscaler before 1.30."""
