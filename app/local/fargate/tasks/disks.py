"""EBS volumes of tasks, as DescribeTasks shows them among the attachments. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ebs-volumes.html
"""

import hashlib
from collections.abc import Sequence
from typing import Final

from app.local.fargate.protocol.wire import Json

_TYPE: Final = "AmazonElasticBlockStorage"


def attachments(params: Json, *, task: str, attached: str) -> Sequence[Json]:
    """One attachment for each volume that RunTask configured; `attached` is its interface's state."""
    return [_attachment(each, task=task, status=attached) for each in params.get("volumeConfigurations", ())]


def _attachment(configuration: Json, *, task: str, status: str) -> Json:
    name, volume = configuration["name"], configuration["managedEBSVolume"]
    digest = hashlib.sha256(f"{task}/{name}".encode()).hexdigest()
    deleted = volume.get("terminationPolicy", {}).get("deleteOnTermination", True)
    return {
        "id": digest[:32],
        "type": _TYPE,
        "status": status,
        "details": [
            {"name": "roleArn", "value": volume["roleArn"]},
            {"name": "deleteOnTermination", "value": str(deleted).lower()},
            {"name": "volumeName", "value": name},
            {"name": "volumeId", "value": f"vol-{digest[:17]}"},
        ],
    }
