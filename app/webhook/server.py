"""The webhook's HTTP shell: read a review, let `mutation.decide` decide, answer.

It fails open. Overflow is a comfort that no pod may be lost for, so an error in our own code admits the pod
as it is, with a warning, a logged traceback and a counter; only a body that is no review is refused (4xx),
and then the API server's `failurePolicy` applies.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

import msgspec
from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException

from app.fargate.eligibility import unknown
from app.model.names import ENABLED, OVERFLOW, PERMITTED
from app.model.pod import Pod
from app.model.reason import Reason
from app.ports.clock import Clock
from app.serving.bodies import BadBody, body_of, error_answer, http_error, json_answer
from app.serving.probes import probe_router
from app.telemetry import logs
from app.webhook import metrics, mutation, review
from app.webhook.mutation import How, Mutation, Untouched
from app.webhook.review import AdmissionRequest, BadReview
from app.webhook.warning import DIFFERENT, warnings_of

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


def build_app(
    config: WebhookConfig, *, clock: Clock, registry: CollectorRegistry, decide: Decide = mutation.decide
) -> FastAPI:
    """The application: `POST /mutate/enabled` and `/mutate/permitted`, `/healthz`, `/readyz`, `/metrics`.

    AdmissionReview carries no namespace labels, so there is one path for each word that the label
    `spillway.dev/overflow` can have on a namespace; namespaceSelectors choose between them.
    """
    app = FastAPI(title="Spillway webhook", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(probe_router(registry, lambda: None))
    app.add_exception_handler(HTTPException, http_error)
    counters = metrics.WebhookMetrics(registry)
    for word in (ENABLED, PERMITTED):
        admissions = Admissions(config, word=word, clock=clock, counters=counters, decide=decide)
        app.add_api_route(f"/mutate/{word}", admissions.handler(), methods=["POST"], response_model=None)
    return app


class Admissions:
    """Answers the reviews of pods in namespaces that have one word on their label."""

    def __init__(
        self,
        config: WebhookConfig,
        *,
        word: str,
        clock: Clock,
        counters: metrics.WebhookMetrics,
        decide: Decide,
    ) -> None:
        self._config = config
        self._namespace = {OVERFLOW: word}
        self._clock = clock
        self._counters = counters
        self._decide = decide

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
            verdict = self._decide(
                pod,
                namespace=self._namespace,
                how=self._config.how,
                unknown=unknown(review.spec_of(request)),
            )
            answer = self._written(request.uid, verdict)
        except Exception:  # noqa: BLE001  (the webhook fails open, see the module's docstring)
            _log.exception("review failed", review=request.uid, namespace=request.namespace, pod=request.name)
            self._counters.admissions.labels(metrics.FAILED).inc()
            return review.encode(request.uid, warnings=warnings_of([_INTERNAL]))
        return answer

    def _written(self, uid: str, verdict: Mutation | Untouched) -> bytes:
        match verdict:
            case Mutation():
                warnings = warnings_of(verdict.caveats, prefix=DIFFERENT)
                answer = review.encode(uid, patch=verdict.patch, warnings=warnings)
                self._counters.admissions.labels(metrics.MUTATED).inc()
            case Untouched(warn=True):
                answer = review.encode(uid, warnings=warnings_of(verdict.reasons))
                self._counters.admissions.labels(metrics.REFUSED).inc()
                for reason in verdict.reasons:
                    self._counters.refusals.labels(reason.code).inc()
            case Untouched():
                answer = review.encode(uid)
                self._counters.admissions.labels(metrics.UNTOUCHED).inc()
        return answer

    def _rejected(self, status: int, message: str) -> Response:
        self._counters.admissions.labels(metrics.BAD_REQUEST).inc()
        return error_answer(status, message)
