"""What annotations of the pod and its namespace say: role, security groups, policies."""

import msgspec

from app.bridge.config import TaskSettings
from app.bridge.translation.identity import task_role
from app.bridge.translation.material import Material
from app.bridge.translation.network import policy_refusals, security_groups
from app.model.pod import Pod
from app.model.reason import Reason


class Standing(msgspec.Struct, frozen=True):
    """The task role and security groups in place of the operator's; empty where those hold."""

    role: str
    groups: tuple[str, ...]


def standing_of(pod: Pod, *, material: Material, settings: TaskSettings) -> Standing | tuple[Reason, ...]:
    """What holds for the pod, or every reason why it may not run so."""
    role = task_role(pod, material=material, settings=settings)
    groups = security_groups(material.namespace)
    bound = policy_refusals(pod, policies=material.policies, namespace=material.namespace)
    if bound or isinstance(role, Reason) or isinstance(groups, Reason):
        return (*bound, *(each for each in (role, groups) if isinstance(each, Reason)))
    return Standing(role, groups)
