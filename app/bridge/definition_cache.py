"""Task definitions registered once: 200 pods of one template make one RegisterTaskDefinition call."""

import asyncio
from collections import defaultdict

from app.model.task import Definition
from app.ports.failures import NotFound
from app.ports.tasks import Definitions


class DefinitionCache:
    """Family → ARN, asked for once at a time; equal families are equal content."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._arns: dict[str, str] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def arn_of(self, definition: Definition) -> str:
        """The definition's ARN; found where an earlier process registered it, else registered now.

        Raises:
            PortFailure: as `Definitions.register`.
        """
        family = definition.family
        if family not in self._arns:
            async with self._turns[family]:
                if family not in self._arns:
                    self._arns[family] = await self._find_or_register(definition)
        return self._arns[family]

    def forget(self, family: str, arn: str) -> None:
        """Ask ECS again next time: this revision may have been deregistered."""
        if self._arns.get(family) == arn:
            del self._arns[family]

    async def _find_or_register(self, definition: Definition) -> str:
        try:
            return await self._definitions.find(definition.family)
        except NotFound:
            return await self._definitions.register(definition)
