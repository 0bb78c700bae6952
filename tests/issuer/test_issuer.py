"""The issuer's shell: what it writes, against whom, and what it says where it cannot."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog
from cryptography import x509

from app.issuer.holdings import SINCE
from app.issuer.issuer import FRESH, GLANCE
from app.model.objects import Secret
from app.ports.failures import Conflict, Refused, Unavailable
from app.tls.authority import expires
from tests.issuer.fakes import CA, CONFIG, TLS, Scene
from tests.issuer.material import a_ca, ca_data

NOT_AFTER = "spillway_certificate_not_after_seconds"


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    """An installation in order, and an issuer that runs."""
    made = Scene()
    made.store.register(b"", b"")
    running = asyncio.create_task(made.issuer.run())
    await made.clock.advance(1)
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def bundle(scene: Scene) -> bytes:
    return scene.store.data(TLS)["ca.crt"]


async def test_from_nothing_three_writes_do_it() -> None:
    scene = Scene()
    scene.store.register(b"", b"")
    await scene.issuer.once()
    assert scene.store.writes == ["spillway", CA, TLS, "spillway"]
    assert scene.store.bundles() == [scene.store.data(CA)["ca.crt"]] * 2


async def test_the_leaf_has_all_names_and_addresses() -> None:
    scene = Scene()
    await scene.issuer.once()
    leaf = x509.load_pem_x509_certificate(scene.store.data(TLS)["tls.crt"])
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == list(CONFIG.dns)
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [each.dotted_string for each in usage] == ["1.3.6.1.5.5.7.3.1"]


async def test_the_cas_key_is_in_its_own_secret_alone(scene: Scene) -> None:
    assert scene.store.data(CA)["ca.key"] not in b"".join(scene.store.data(TLS).values())


async def test_since_when_the_bundle_is_held_stands_on_the_secret(scene: Scene) -> None:
    assert scene.store.secrets[TLS].metadata.annotations == {SINCE: "2026-01-01T12:00:00.000000Z"}


async def test_what_is_in_order_is_not_written_again(scene: Scene) -> None:
    before = list(scene.store.writes)
    await scene.clock.advance(3600)
    assert scene.store.writes == before


async def test_a_bundle_that_somebody_took_out_is_back_within_seconds(scene: Scene) -> None:
    await scene.clock.advance(20)
    scene.store.register(b"", bundle(scene))
    await scene.clock.advance(GLANCE)
    assert scene.store.bundles() == [bundle(scene)] * 2


async def test_a_webhook_configuration_that_is_made_anew_has_its_bundle_within_seconds(scene: Scene) -> None:
    await scene.clock.advance(60)
    scene.store.registration = None
    await scene.clock.advance(GLANCE)
    scene.store.register(b"", b"")
    await scene.clock.advance(GLANCE)
    assert scene.store.bundles() == [bundle(scene)] * 2


async def test_a_glance_that_fails_is_no_failure(scene: Scene) -> None:
    await scene.clock.advance(20)
    scene.bundles.failure = Unavailable("no answer")
    await scene.clock.advance(2 * GLANCE)
    assert scene.metric("spillway_issuer_failures_total") == 0.0


async def test_somebody_who_writes_against_us_does_not_make_us_spin(scene: Scene) -> None:
    before = len(scene.store.writes)
    for _ in range(100):
        scene.store.register(b"other")
        await scene.clock.advance(1)
    assert len(scene.store.writes) - before - 100 == 10


async def test_a_webhook_configuration_that_comes_later_gets_its_bundle() -> None:
    scene = Scene()
    with structlog.testing.capture_logs() as told:
        await scene.issuer.once()
        await scene.issuer.once()
    (flaw,) = [each["what"] for each in told if each["event"] == "not in order"]
    assert flaw.startswith("MutatingWebhookConfiguration spillway is not there (yet)")
    scene.store.register(b"")
    await scene.issuer.once()
    assert scene.store.bundles() == [bundle(scene)]


async def test_of_two_that_make_a_ca_at_once_the_second_takes_the_firsts() -> None:
    scene = Scene()
    scene.store.register(b"")
    await asyncio.gather(scene.issuer.once(), scene.another().once(), scene.clock.advance(10))
    assert scene.store.writes.count(CA) == 1
    assert bundle(scene) == scene.store.data(CA)["ca.crt"]
    assert scene.store.bundles() == [bundle(scene)]


async def test_a_write_upon_an_older_version_is_decided_anew() -> None:
    scene = Scene()
    restored = ca_data(a_ca("restored"))
    scene.secrets.before_write = lambda: scene.store.put(CA, restored)
    await asyncio.gather(scene.issuer.once(), scene.clock.advance(10))
    assert scene.store.data(CA) == restored
    assert bundle(scene) == restored["ca.crt"]


async def test_what_was_read_too_long_ago_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()

    async def slowly(name: str) -> Secret | None:
        scene.clock._elapsed += FRESH
        return None

    monkeypatch.setattr(scene.secrets, "read", slowly)
    with pytest.raises(Unavailable, match="30 s after the look MakeCa"):
        await scene.issuer.once()
    assert scene.store.writes == []


async def test_a_refusal_is_not_hidden_by_a_look_that_has_grown_old(scene: Scene) -> None:
    scene.store.edit(TLS, token=b"somebody's")
    scene.store.register(b"")

    async def refused(*_args: object, **_fields: object) -> None:
        scene.clock._elapsed += FRESH + 1
        raise Refused("field is immutable when `immutable` is set")

    scene.secrets.change = refused  # type: ignore[method-assign]  # slow, and one right less
    with pytest.raises(Refused, match="immutable"):
        await scene.issuer.once()
    assert scene.store.bundles() == [b""]


async def test_an_api_server_that_is_away_is_asked_again_and_again(scene: Scene) -> None:
    scene.secrets.failure = Unavailable("no answer")
    await scene.clock.advance(600)
    scene.secrets.failure = None
    del scene.store.secrets[CA]
    await scene.clock.advance(60)
    assert sorted(scene.store.data(CA)) == ["ca.crt", "ca.key", "previous.crt"]
    failures = scene.metric("spillway_issuer_failures_total")
    assert failures is not None
    assert 10 < failures < 40


async def test_writes_whose_answers_are_lost_are_not_made_twice() -> None:
    scene = Scene()
    scene.secrets.loses_answers = True
    running = asyncio.create_task(scene.issuer.run())
    await scene.clock.advance(60)
    running.cancel()
    assert scene.store.writes == [CA, TLS]


async def test_a_missing_right_is_told_with_its_mend() -> None:
    scene = Scene()
    scene.secrets.failure = Refused("403 forbidden")
    with structlog.testing.capture_logs() as told:
        running = asyncio.create_task(scene.issuer.run())
        await scene.clock.advance(1)
        running.cancel()
    why = scene.issuer.missing() or ""
    assert why.startswith("the certificates have not been seen to yet: 403 forbidden; give the issuer's acc")
    assert "patch on the Secrets spillway-ca and spillway-tls" in told[0]["mend"]


async def test_without_the_right_to_the_webhook_configuration_the_secrets_are_kept() -> None:
    scene = Scene()
    scene.bundles.failure = Refused("403 forbidden")
    with pytest.raises(Refused):
        await scene.issuer.once()
    assert sorted(scene.store.data(TLS)) == ["ca.crt", "tls.crt", "tls.key"]
    assert scene.metric("spillway_issuer_flaws") == 1


async def test_who_may_not_write_the_leaf_still_mends_a_ca_bundle(scene: Scene) -> None:
    whole = bundle(scene)
    scene.store.edit(TLS, token=b"somebody's")
    scene.store.register(b"", whole)

    async def refused(*_args: object, **_fields: object) -> None:
        raise Refused("secrets spillway-tls: field is immutable when `immutable` is set")

    scene.secrets.change = refused  # type: ignore[method-assign]  # one right less
    await scene.clock.advance(10)
    assert scene.store.bundles() == [whole] * 2
    assert scene.metric("spillway_issuer_failures_total")


async def test_a_secret_that_is_never_as_written_is_given_up_on() -> None:
    scene = Scene()

    async def denied(secret: Secret, data: object, *, annotations: object) -> None:
        raise Conflict("somebody else was first")

    await scene.issuer.once()
    del scene.store.secrets[TLS]
    scene.secrets.create = denied  # type: ignore[assignment,method-assign]
    giving_up = asyncio.create_task(scene.issuer.once())
    await scene.clock.advance(60)
    with pytest.raises(Unavailable, match="who else writes them"):
        await giving_up


async def test_it_is_ready_once_the_certificates_are_in_order() -> None:
    scene = Scene()
    assert scene.issuer.missing() is not None
    running = asyncio.create_task(scene.issuer.run())
    await scene.clock.advance(1)
    assert scene.issuer.missing() is None
    running.cancel()


async def test_the_ends_of_ca_and_leaf_are_metrics_that_follow(scene: Scene) -> None:
    data = scene.store.data(TLS)
    first = expires(data["tls.crt"]).timestamp()
    assert scene.metric(NOT_AFTER, certificate="issued", node="") == first
    assert scene.metric(NOT_AFTER, certificate="ca", node="") == expires(data["ca.crt"]).timestamp()
    assert scene.metric(NOT_AFTER, certificate="next-ca", node="") is None
    del scene.store.secrets[TLS]
    await scene.clock.advance(60)
    assert scene.metric(NOT_AFTER, certificate="issued", node="") == first + 10


async def test_no_log_line_shows_a_key(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    with structlog.testing.capture_logs() as told:
        del scene.store.secrets[CA]
        await scene.clock.advance(1800)
    said = str(told) + capsys.readouterr().out
    assert "there is a new CA; restart kube-schedulers" in said
    assert "BEGIN" not in said


async def test_every_step_is_counted(scene: Scene) -> None:
    steps = ("MakeCa", "IssueLeaf", "Inject")
    counted = [scene.metric("spillway_issuer_writes_total", command=each) for each in steps]
    assert counted == [1, 1, 1]
