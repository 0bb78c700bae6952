"""The bridge: a kubelet for one virtual node, which runs its pods as ECS tasks and can be killed at any line.

What it knows lives in Kubernetes and in ECS, never here alone. Gather (`bridge`), decide (`reconcile`, pure),
apply (`apply`, the only writer).

Never here: placement, boto3, a Kubernetes client, or the node's HTTPS API.
"""
