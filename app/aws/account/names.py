"""What everything of one installation is called in an account and region, names and ARNs. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

import re
from typing import Final

import msgspec

OWNER: Final = "spillway.dev/name"
"""The tag that says whose a resource is; without it, nothing is changed or removed."""

REGION: Final = "spillway.dev/region"
"""A role's second tag: its name counts in all regions, its policies are for one."""

FAMILIES: Final = "spillway-"
"""How the families of a bridge's task definitions begin, whatever the installation's name."""

SECRETS: Final = "spillway/"
"""How the names of all secrets begin that a bridge keeps, whatever the installation's name."""

POLICY: Final = "spillway"
"""The name of the one inline policy of each role."""

_TAKEN: Final = "sg-"
"""So begin EC2's own ids of security groups, and no group may be called so."""

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)


class NameFault(ValueError):
    """The installation cannot be called that; the message says how it can."""


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """The names, and where they are.

    Attributes:
        name: of the installation; everything else is named after it.
        account: its twelve digits.
        region: as `eu-central-1`.
        partition: `aws`, `aws-cn` or `aws-us-gov`.
    """

    name: str = "spillway"
    account: str
    region: str
    partition: str = "aws"

    @property
    def cluster(self) -> str:
        """The ECS cluster."""
        return self.name

    @property
    def log_group(self) -> str:
        """The CloudWatch Logs group of all containers."""
        return f"/{self.name}/pods"

    @property
    def performance_log(self) -> str:
        """Where Container Insights writes; CloudWatch makes it, not we."""
        return f"/aws/ecs/containerinsights/{self.cluster}/performance"

    @property
    def bridge_role(self) -> str:
        """What the bridge is."""
        return f"{self.name}-bridge"

    @property
    def execution_role(self) -> str:
        """With which ECS pulls images and writes logs."""
        return f"{self.name}-execution"

    @property
    def task_role(self) -> str:
        """An example of a role for pods, one that `kubectl exec` can enter."""
        return f"{self.name}-task"

    @property
    def security_group(self) -> str:
        """What stands around the tasks' interfaces."""
        return f"{self.name}-tasks"

    @property
    def queue(self) -> str:
        """Where task events arrive; the rule that sends them has the same name."""
        return f"{self.name}-task-events"

    @property
    def dead_letters(self) -> str:
        """Where events go that nobody could take."""
        return f"{self.queue}-dead-letters"

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def role_arn(self, role: str) -> str:
        """The ARN of a role of this account, which belongs to no region."""
        return f"arn:{self.partition}:iam::{self.account}:role/{role}"

    @property
    def cluster_arn(self) -> str:
        """The ECS cluster's."""
        return self.arn("ecs", f"cluster/{self.cluster}")

    @property
    def queue_arn(self) -> str:
        """The queue's."""
        return self.arn("sqs", self.queue)

    @property
    def rule_arn(self) -> str:
        """The rule's, on the default event bus."""
        return self.arn("events", f"rule/{self.queue}")


def checked_name(name: str) -> str:
    """The name, where everything can be called after it.

    Raises:
        NameFault: it cannot.
    """
    if not _NAME.fullmatch(name) or name.startswith(_TAKEN):
        raise NameFault(
            f"{name!r} cannot name an installation: take a lower-case letter, then at most 39 lower-case "
            f"letters, digits and hyphens, and do not begin with {_TAKEN}"
        )
    return name
