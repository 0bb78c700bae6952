"""Task definitions registered once: 200 pods of one template make one RegisterTaskDefinition call."""

import asyncio
from collections import OrderedDict
from typing import Final
from weakref import WeakValueDictionary

from app.model.task import Definition
from app.ports.failures import NotFound
from app.ports.tasks import Definitions

MOST_FAMILIES: Final = 2000
"""Of which the ARN is kept; one that was forgotten costs a DescribeTaskDefinition."""


class DefinitionCache:
    """Family → ARN, asked for once at a time; equal families are equal content."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._arns: OrderedDict[str, str] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def arn_of(self, definition: Definition) -> str:
        """The definition's ARN; found where an earlier process registered it, else registered now.

        Raises:
            PortFailure: as `Definitions.register`.
        """
        family = definition.family
        # Whoever waits holds the lock; with the last of them it goes.
        async with self._turns.setdefault(family, asyncio.Lock()):
            if family not in self._arns:
                self._arns[family] = await self._find_or_register(definition)
            self._arns.move_to_end(family)
            arn = self._arns[family]
        while len(self._arns) > MOST_FAMILIES:
            self._arns.popitem(last=False)
        return arn

    def forget(self, family: str, arn: str) -> None:
        """Ask ECS again next time: this revision may have been deregistered."""
        if self._arns.get(family) == arn:
            del self._arns[family]

    async def _find_or_register(self, definition: Definition) -> str:
        try:
            return await self._definitions.find(definition.family)
        except NotFound:
            return await self._definitions.register(definition)
