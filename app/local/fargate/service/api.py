"""The whole of the API without its socket: a target and a body in, an answer and a journal entry out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from app.local.fargate.agenda import Agenda
from app.local.fargate.ecs.launcher import whose_task
from app.local.fargate.faults.orders import Fault, Faults
from app.local.fargate.journal import LOST, Journal, Mark
from app.local.fargate.protocol.errors import AwsError, throttled
from app.local.fargate.protocol.throttles import Throttles
from app.local.fargate.protocol.wire import Json, Reader, error_body
from app.ports.clock import Clock

Handler = Callable[[Json], Json]


class Answer(NamedTuple):
    """An HTTP answer; `withheld` means to close the connection instead of sending it."""

    status: int
    body: bytes
    withheld: bool = False
    headers: Mapping[str, str] = {}


@dataclass(kw_only=True)
class Api:
    """Every request passes here: fault, throttle, validation, handler, journal.

    `handlers` are the operations by name; every other operation of the service models is unsupported. What is
    in `waiting` is awaited first, with the request's body: long polls.
    """

    clock: Clock
    agenda: Agenda
    reader: Reader
    faults: Faults
    throttles: Throttles
    journal: Journal
    handlers: Mapping[str, Handler]
    waiting: Mapping[str, Callable[[bytes], Awaitable[None]]]

    async def handle(self, target: str, body: bytes) -> Answer:
        """Answer one request; `target` is its X-Amz-Target header."""
        try:
            operation = self.reader.operation(target)
        except AwsError as error:
            self.journal.call(target, error.code, about=Mark(detail=error.message))
            return Answer(error.status, error_body(error))
        delay = self.faults.take(operation, "delay")
        if delay is not None:
            await self.clock.sleep(delay.seconds)
        if operation in self.waiting:
            await self.waiting[operation](body)
        return self._answer(operation, target, body)

    def _answer(self, operation: str, target: str, body: bytes) -> Answer:
        self.agenda.run_due()
        mark = Mark()
        if self.faults.take(operation, "lost-request") is not None:
            self.journal.call(operation, LOST, about=mark, answered=False)
            return Answer(503, b"{}", withheld=True)
        try:
            params = self._admitted(operation, target, body)
            mark = _about(operation, params)
            result = self.handlers[operation](params)
        except AwsError as error:
            mark = msgspec.structs.replace(mark, detail=error.message)
            self.journal.call(operation, error.code, about=mark)
            return Answer(error.status, error_body(error), headers=error.headers)
        lost = self.faults.take(operation, "timeout-after-effect") is not None
        mark = msgspec.structs.replace(mark, tasks=mark.tasks or _launched(operation, result))
        self.journal.call(operation, _outcome(operation, result), about=mark, answered=not lost)
        return Answer(200, msgspec.json.encode(result), withheld=lost)

    def _admitted(self, operation: str, target: str, body: bytes) -> Json:
        """The request's parameters, unless a fault, the throttle or the service model refuses it."""
        fault = self.faults.take(operation, "error")
        if fault is not None:
            raise _ordered(fault)
        if operation not in self.handlers:
            raise AwsError(
                "UnsupportedFeatureException", f"The embedded Fargate does not implement {operation}."
            )
        if not self.throttles.admit(operation, now=self.clock.steady()):
            raise throttled()
        return self.reader.request(target, body).params


def _ordered(fault: Fault) -> AwsError:
    default = "Rate exceeded" if fault.code == "ThrottlingException" else "This error was ordered."
    fields = {"resourceIds": list(fault.resource_ids)} if fault.resource_ids else {}
    return AwsError(fault.code, fault.message or default, fields=fields)


def _about(operation: str, params: Json) -> Mark:
    match operation:
        case "RunTask":
            whose = whose_task(params)
            return Mark(pod=whose.pod, attempt=whose.attempt)
        case "StopTask" | "ExecuteCommand":
            return Mark(tasks=(params["task"],))
        case _:
            return Mark()


def _launched(operation: str, result: Json) -> tuple[str, ...]:
    if operation != "RunTask":
        return ()
    return tuple(each["taskArn"] for each in result["tasks"])


def _outcome(operation: str, result: Json) -> str:
    return "failures" if operation == "RunTask" and result["failures"] else "ok"
