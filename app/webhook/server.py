"""The webhook's HTTP shell: read a review, let `mutation.decide` decide, answer.

It fails open. Overflow is a comfort that no pod may be lost for, so an error in our own code admits the pod
as it is, with a warning, a logged traceback and a counter; only a body that is no review is refused (4xx),
and then the API server's `failurePolicy` applies.
"""

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import msgspec
from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException

from app.fargate.eligibility import unknown
from app.model.names import ENABLED, OVERFLOW, PERMITTED, TOLERANT
from app.model.pod import Pod
from app.model.reason import Reason
from app.model.spelling import unread_on_pod
from app.ports.clock import Clock
from app.serving.bodies import BadBody, body_of, error_answer, http_error, json_answer
from app.serving.probes import probe_router
from app.telemetry import logs
from app.webhook import metrics, mutation, review
from app.webhook.mutation import How, Mutation, Untouched
from app.webhook.review import AdmissionRequest, BadReview
from app.webhook.warning import DIFFERENT, MISSPELT, warnings_of

MOST_BYTES: Final = 3 * 2**20
"""The API server's own limit for a request body."""

_INTERNAL: Final = Reason("InternalError", "Spillway failed to judge the pod; see the webhook's log")
_log = logs.get(__name__)


class WebhookConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Settings. `how`: what pods are prepared for."""

    how: How = How()


class Decide(Protocol):
    """The decision, as `app.webhook.mutation.decide` makes it."""

    def __call__(
        self, pod: Pod, *, namespace: Mapping[str, str], how: How, unknown: tuple[Reason, ...]
    ) -> Mutation | Untouched:
        """The patch, or every reason for leaving the pod alone."""
        ...


Judge = Callable[[AdmissionRequest, Pod], Mutation | Untouched]
"""The decision about the pod of one review."""


def build_app(
    config: WebhookConfig, *, clock: Clock, registry: CollectorRegistry, decide: Decide = mutation.decide
) -> FastAPI:
    """The application: `POST /mutate/{enabled,permitted,tolerant}`, `/healthz`, `/readyz`, `/metrics`.

    AdmissionReview carries no namespace labels, so there is one path for each word that the label
    `spillway.dev/overflow` can have on a namespace; namespaceSelectors choose between them. The last one is
    for pods of any namespace that bear the virtual nodes' taint by themselves.
    """
    app = FastAPI(title="Spillway webhook", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(probe_router(registry, lambda: None))
    app.add_exception_handler(HTTPException, http_error)
    counters = metrics.WebhookMetrics(registry)
    asked = functools.partial(_of_namespace, decide=decide, how=config.how)
    paths: dict[str, Admissions] = {
        word: Admissions(functools.partial(asked, word=word), clock=clock, counters=counters)
        for word in (ENABLED, PERMITTED)
    }
    tolerant = functools.partial(_tolerant, how=config.how)
    paths[TOLERANT] = Admissions(tolerant, clock=clock, counters=counters, mutated=metrics.MARKED)
    for path, admissions in paths.items():
        app.add_api_route(f"/mutate/{path}", admissions.handler(), methods=["POST"], response_model=None)
    return app


def _of_namespace(
    request: AdmissionRequest, pod: Pod, *, decide: Decide, word: str, how: How
) -> Mutation | Untouched:
    return decide(pod, namespace={OVERFLOW: word}, how=how, unknown=unknown(review.spec_of(request)))


def _tolerant(_: AdmissionRequest, pod: Pod, *, how: How) -> Mutation | Untouched:
    return mutation.decide_tolerant(pod, how=how)


class Admissions:
    """Answers the reviews that come by one path.

    Args:
        judge: decides about one.
        clock: measures how long an answer takes.
        counters: count them.
        mutated: what one counts as whose pod got a patch.
    """

    def __init__(
        self, judge: Judge, *, clock: Clock, counters: metrics.WebhookMetrics, mutated: str = metrics.MUTATED
    ) -> None:
        self._judge = judge
        self._clock = clock
        self._counters = counters
        self._mutated = mutated

    def handler(self) -> Callable[[Request], Awaitable[Response]]:
        """The route's function."""

        async def mutate(request: Request) -> Response:
            try:
                body = await body_of(request, most=MOST_BYTES)
            except BadBody as bad:
                return self._rejected(bad.status, str(bad))
            began = self._clock.steady()
            try:
                return self.answer(body)
            finally:
                self._counters.seconds.observe(self._clock.steady() - began)

        return mutate

    def answer(self, body: bytes) -> Response:
        """200 with a review that allows, or 400 with `{"error": …}` where the body is no review of a pod."""
        try:
            request = review.decode(body)
            pod = review.pod_of(request) if request.operation == review.CREATE else None
        except BadReview as bad:
            return self._rejected(400, str(bad))
        return json_answer(200, self._judged(request, pod))

    def _judged(self, request: AdmissionRequest, pod: Pod | None) -> bytes:
        if pod is None:
            self._counters.admissions.labels(metrics.UNTOUCHED).inc()
            return review.encode(request.uid)
        try:
            unread = unread_on_pod(pod.metadata)
            answer = self._written(
                request.uid, self._judge(request, pod), warnings_of(unread, prefix=MISSPELT)
            )
            self._counters.unread_keys.inc(len(unread))
        except Exception:  # noqa: BLE001  (the webhook fails open, see the module's docstring)
            _log.exception("review failed", review=request.uid, namespace=request.namespace, pod=request.name)
            self._counters.admissions.labels(metrics.FAILED).inc()
            return review.encode(request.uid, warnings=warnings_of([_INTERNAL]))
        return answer

    def _written(self, uid: str, verdict: Mutation | Untouched, spelling: tuple[str, ...]) -> bytes:
        """The answer; `spelling` are the warnings that it bears whatever the verdict is."""
        match verdict:
            case Mutation():
                warnings = warnings_of(verdict.caveats, prefix=DIFFERENT)
                answer = review.encode(uid, patch=verdict.patch, warnings=(*spelling, *warnings))
                self._counters.admissions.labels(self._mutated).inc()
            case Untouched(warn=True):
                answer = review.encode(uid, warnings=(*spelling, *warnings_of(verdict.reasons)))
                self._counters.admissions.labels(metrics.REFUSED).inc()
                for reason in verdict.reasons:
                    self._counters.refusals.labels(reason.code).inc()
            case Untouched():
                answer = review.encode(uid, warnings=spelling)
                self._counters.admissions.labels(metrics.UNTOUCHED).inc()
        return answer

    def _rejected(self, status: int, message: str) -> Response:
        self._counters.admissions.labels(metrics.BAD_REQUEST).inc()
        return error_answer(status, message)
