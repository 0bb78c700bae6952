"""What follows from what the Secrets and the webhook configuration hold."""

from datetime import timedelta

import msgspec
import pytest

from app.issuer.commands import (
    DropNext,
    Inject,
    IssueLeaf,
    KeepPrevious,
    MakeCa,
    MakeNext,
    Promote,
    Publish,
    Tidy,
)
from app.issuer.decision import LOOK_EVERY, Plan, decide
from app.issuer.holdings import Objects, held
from app.model.meta import ObjectMeta
from app.model.webhook_configuration import ClientConfig, MutatingWebhookConfiguration, WebhookEntry
from app.tls.authority import Authority
from tests.builders import NOON
from tests.issuer.fakes import CA, CONFIG, TLS
from tests.issuer.material import DAY, LIFE, a_ca, a_leaf, a_secret, ca_data, since, tls_data

OURS, THEIRS = a_ca("ours"), a_ca("theirs")
LEAF = a_leaf(OURS)
MINUTE = timedelta(minutes=1)
ANNOUNCED = NOON + LIFE * 0.8
RETIRED = NOON + LIFE * 0.9
SUCCESSOR = a_ca("successor", made=ANNOUNCED)
LATE_LEAF = a_leaf(OURS, made=RETIRED - DAY)


def registered(*bundles: bytes, annotations: dict[str, str] | None = None) -> MutatingWebhookConfiguration:
    entries = tuple(
        WebhookEntry(name=str(number), client_config=ClientConfig(ca_bundle=each))
        for number, each in enumerate(bundles)
    )
    return MutatingWebhookConfiguration(metadata=ObjectMeta(annotations=annotations or {}), webhooks=entries)


def pems(*authorities: Authority) -> bytes:
    return b"".join(each.cert_pem for each in authorities)


GOOD = Objects(
    ca=a_secret(ca_data(OURS)),
    tls=a_secret(tls_data(LEAF, OURS), since()),
    registration=registered(pems(OURS), pems(OURS)),
)


def plan(objects: Objects, *, after: timedelta = MINUTE) -> Plan:
    now = NOON + after
    return decide(held(objects, config=CONFIG, now=now), config=CONFIG, now=now)


def kinds(made: Plan) -> list[type]:
    return [type(each) for each in made.commands]


def with_ca(data: dict[str, bytes], **fields: object) -> Objects:
    return msgspec.structs.replace(GOOD, ca=a_secret(data), **fields)


def with_tls(data: dict[str, bytes], **fields: object) -> Objects:
    return msgspec.structs.replace(GOOD, tls=a_secret(data, since()), **fields)


def test_what_is_in_order_is_left_alone() -> None:
    made = plan(GOOD)
    assert (made.commands, made.flaws) == ((), ())


def test_the_next_look_is_seconds_later() -> None:
    assert plan(GOOD, after=DAY).look_again == NOON + DAY + LOOK_EVERY


def test_the_next_look_is_not_later_than_what_falls_due() -> None:
    due = CONFIG.leaf_validity - CONFIG.renew_before
    assert plan(GOOD, after=due - timedelta(seconds=7)).look_again == NOON + due


def test_from_nothing_first_comes_a_ca() -> None:
    assert kinds(plan(Objects())) == [MakeCa]


def test_with_a_ca_alone_the_leaf_is_issued_and_the_webhook_told_at_once() -> None:
    fresh = Objects(ca=a_secret(ca_data(OURS)), registration=registered(b"", b""))
    leaf, inject = plan(fresh).commands
    assert isinstance(leaf, IssueLeaf)
    assert isinstance(inject, Inject)
    assert (leaf.bundle, inject.bundle) == (OURS.cert_pem, OURS.cert_pem)
    assert leaf.until == NOON + MINUTE + CONFIG.leaf_validity


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(timedelta(days=59, hours=23), [], id="before its time"),
        pytest.param(timedelta(days=60), [IssueLeaf], id="in time"),
        pytest.param(timedelta(days=91), [IssueLeaf], id="when it has ended"),
    ],
)
def test_a_leaf_is_renewed_before_its_end(after: timedelta, expected: list[type]) -> None:
    assert kinds(plan(GOOD, after=after)) == expected


def test_a_leaf_that_ends_with_its_ca_is_not_issued_again_and_again() -> None:
    short = a_ca("short", life=timedelta(days=100))
    leaf = a_leaf(short, made=NOON + 79 * DAY, life=timedelta(days=21))
    objects = Objects(
        ca=a_secret(ca_data(short)),
        tls=a_secret(tls_data(leaf, short), since()),
        registration=registered(short.cert_pem),
    )
    assert kinds(plan(objects, after=79 * DAY)) == []


@pytest.mark.parametrize(
    ("data", "flaw"),
    [
        pytest.param(
            {**tls_data(LEAF, OURS), "tls.key": a_leaf(OURS).key_pem}, "not the key", id="another key"
        ),
        pytest.param({**tls_data(LEAF, OURS), "tls.key": b""}, "not both there", id="no key"),
        pytest.param({**tls_data(LEAF, OURS), "tls.crt": b"junk"}, "not both there", id="no certificate"),
        pytest.param(tls_data(a_leaf(OURS, life=MINUTE / 2), OURS), "is valid from", id="ended"),
        pytest.param(tls_data(a_leaf(OURS, made=NOON + DAY), OURS), "is valid from", id="not begun"),
        pytest.param(tls_data(a_leaf(THEIRS), OURS), "signed by no CA", id="somebody else's"),
    ],
)
def test_a_leaf_that_nobody_believes_is_replaced_at_once_and_told(data: dict[str, bytes], flaw: str) -> None:
    made = plan(with_tls(data))
    assert kinds(made) == [IssueLeaf]
    assert [flaw in each for each in made.flaws] == [True]


def test_a_leaf_with_other_names_is_replaced() -> None:
    other = a_leaf(OURS, dns=("web.elsewhere.svc",))
    assert kinds(plan(with_tls(tls_data(other, OURS)))) == [IssueLeaf]


def test_a_bundle_that_was_edited_is_put_right_and_the_leaf_stays() -> None:
    made = plan(with_tls({**tls_data(LEAF, OURS), "ca.crt": b"edited"}))
    assert kinds(made) == [Publish]
    assert made.flaws == (f"{TLS}: ca.crt holds no certificate in PEM form",)


def test_a_stranger_in_the_bundle_goes_and_what_was_held_is_held_as_before() -> None:
    (publish,) = plan(with_tls(tls_data(LEAF, OURS, THEIRS)), after=DAY).commands
    assert isinstance(publish, Publish)
    assert (publish.bundle, publish.since) == (OURS.cert_pem, NOON)


def test_without_the_annotation_the_bundle_counts_from_now_on() -> None:
    unknown = msgspec.structs.replace(GOOD, tls=a_secret(tls_data(LEAF, OURS)))
    (publish,) = plan(unknown, after=DAY).commands
    assert isinstance(publish, Publish)
    assert publish.since == NOON + DAY


def test_a_time_in_the_future_is_nobodys_word() -> None:
    objects = msgspec.structs.replace(GOOD, tls=a_secret(tls_data(LEAF, OURS), since(NOON + 365 * DAY)))
    assert kinds(plan(objects)) == [Publish]


@pytest.mark.parametrize("secret", [CA, TLS])
def test_keys_that_nobody_asked_for_are_taken_out_and_told(secret: str) -> None:
    extra = {"token": b"x"}
    objects = (
        with_ca({**ca_data(OURS), **extra}) if secret == CA else with_tls({**tls_data(LEAF, OURS), **extra})
    )
    made = plan(objects)
    assert [each.secret for each in made.commands if isinstance(each, Tidy)] == [secret]
    assert made.flaws == (f"{secret}: nobody asked for the keys token",)


def test_an_entry_that_trusts_something_else_is_put_right() -> None:
    made = plan(msgspec.structs.replace(GOOD, registration=registered(pems(OURS), b"")))
    assert kinds(made) == [Inject]


def test_a_missing_webhook_configuration_is_told_and_waited_for() -> None:
    made = plan(msgspec.structs.replace(GOOD, registration=None))
    assert kinds(made) == []
    assert "is not there (yet)" in made.flaws[0]


def test_cert_managers_webhook_configuration_is_left_alone_and_told() -> None:
    theirs = registered(b"", annotations={"cert-manager.io/inject-ca-from": "spillway/spillway-tls"})
    made = plan(msgspec.structs.replace(GOOD, registration=theirs))
    assert kinds(made) == []
    assert "cert-manager's" in made.flaws[0]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="empty"),
        pytest.param({"ca.crt": OURS.cert_pem}, id="no key"),
        pytest.param({"ca.crt": OURS.cert_pem, "ca.key": THEIRS.key_pem}, id="another key"),
        pytest.param(ca_data(a_ca("ended", life=MINUTE / 2)), id="ended"),
        pytest.param(ca_data(a_ca("later", made=NOON + DAY)), id="not begun"),
        pytest.param({"ca.crt": LEAF.cert_pem, "ca.key": LEAF.key_pem}, id="a leaf"),
    ],
)
def test_a_ca_that_cannot_sign_is_replaced_and_what_clients_trust_stays_trusted(
    data: dict[str, bytes],
) -> None:
    (make,) = plan(with_ca(data)).commands
    assert isinstance(make, MakeCa)
    assert [each.pem for each in make.previous] == [OURS.cert_pem]


def test_a_ca_that_is_not_valid_yet_by_our_clock_stays_trusted() -> None:
    """A node's clock that was behind: those of the API server and of the pods may be right."""
    later = a_ca("later", made=NOON + DAY)
    objects = Objects(
        ca=a_secret(ca_data(later)),
        tls=a_secret(tls_data(a_leaf(later, made=NOON + DAY), later), since(NOON + DAY)),
        registration=registered(pems(later)),
    )
    (make,) = plan(objects).commands
    assert isinstance(make, MakeCa)
    assert [each.pem for each in make.previous] == [later.cert_pem]


def test_where_both_secrets_are_gone_what_the_webhook_configuration_trusts_stays_trusted() -> None:
    (make,) = plan(Objects(registration=registered(pems(OURS), pems(THEIRS)))).commands
    assert isinstance(make, MakeCa)
    assert [each.pem for each in make.previous] == [OURS.cert_pem, THEIRS.cert_pem]


def test_a_successor_takes_over_from_a_ca_that_cannot_sign() -> None:
    data = {**ca_data(OURS, following=THEIRS), "ca.key": b"edited"}
    (promote,) = plan(with_ca(data)).commands
    assert isinstance(promote, Promote)
    assert [each.pem for each in promote.previous] == [OURS.cert_pem]


def test_after_a_new_ca_both_are_trusted_and_the_old_leaf_stays() -> None:
    made = plan(with_ca(ca_data(THEIRS, previous=(OURS,))))
    assert kinds(made) == [Publish, Inject]
    publish = made.commands[0]
    assert isinstance(publish, Publish)
    assert (publish.bundle, publish.since) == (pems(THEIRS, OURS), NOON + MINUTE)


def a_new_ca(*, bundle_since: timedelta, injected: bytes) -> Objects:
    return Objects(
        ca=a_secret(ca_data(THEIRS, previous=(OURS,))),
        tls=a_secret(tls_data(LEAF, THEIRS, OURS), since(NOON + bundle_since)),
        registration=registered(injected),
    )


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        pytest.param(a_new_ca(bundle_since=DAY, injected=pems(THEIRS, OURS)), [], id="too soon"),
        pytest.param(
            a_new_ca(bundle_since=DAY - CONFIG.propagation, injected=pems(THEIRS, OURS)),
            [IssueLeaf],
            id="everybody has it",
        ),
        pytest.param(a_new_ca(bundle_since=MINUTE, injected=pems(OURS)), [Inject], id="the webhook has not"),
        pytest.param(
            msgspec.structs.replace(a_new_ca(bundle_since=MINUTE, injected=b""), hidden="forbidden"),
            [],
            id="nobody knows whether the webhook has",
        ),
        pytest.param(
            msgspec.structs.replace(a_new_ca(bundle_since=MINUTE, injected=b""), registration=None),
            [IssueLeaf],
            id="there is no webhook",
        ),
    ],
)
def test_a_new_ca_signs_once_everybody_trusts_it(objects: Objects, expected: list[type]) -> None:
    assert kinds(plan(objects, after=DAY)) == expected


def test_a_ca_from_a_backup_does_not_drop_the_one_whose_leaf_is_served() -> None:
    (keep,) = plan(with_ca(ca_data(THEIRS))).commands
    assert isinstance(keep, KeepPrevious)
    assert [each.pem for each in keep.previous] == [OURS.cert_pem]


@pytest.mark.parametrize(
    "objects",
    [
        pytest.param(
            Objects(ca=a_secret(ca_data(OURS)), registration=registered(pems(THEIRS))),
            id="the webhook configuration, and there is no leaf",
        ),
        pytest.param(
            with_tls(tls_data(LEAF, OURS, THEIRS)), id="the bundle, and the leaf has not reached every pod"
        ),
    ],
)
def test_a_ca_that_only_clients_know_of_is_trusted_on_while_pods_may_serve_a_leaf_of_its(
    objects: Objects,
) -> None:
    (keep,) = plan(objects).commands
    assert isinstance(keep, KeepPrevious)
    assert [each.pem for each in keep.previous] == [THEIRS.cert_pem]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(CONFIG.propagation - MINUTE, [], id="pods may serve the old leaf"),
        pytest.param(CONFIG.propagation, [KeepPrevious], id="no pod does"),
    ],
)
def test_a_former_ca_is_trusted_until_its_leaf_is_out_of_every_pod(
    after: timedelta, expected: list[type]
) -> None:
    objects = Objects(
        ca=a_secret(ca_data(OURS, previous=(THEIRS,))),
        tls=a_secret(tls_data(LEAF, OURS, THEIRS), since()),
        registration=registered(pems(OURS, THEIRS)),
    )
    assert kinds(plan(objects, after=after)) == expected


def ageing(*, following: Authority | None = None, since_when: timedelta = LIFE * 0.8) -> Objects:
    several = (OURS,) if following is None else (OURS, following)
    return Objects(
        ca=a_secret(ca_data(OURS, following=following)),
        tls=a_secret(tls_data(LATE_LEAF, *several), since(NOON + since_when)),
        registration=registered(pems(*several)),
    )


@pytest.mark.parametrize(
    ("objects", "after", "expected"),
    [
        pytest.param(ageing(), LIFE * 0.9 - DAY / 2, [MakeNext], id="announced from 80% on"),
        pytest.param(ageing(following=SUCCESSOR), LIFE * 0.9 - DAY / 2, [], id="until 90% it signs nothing"),
        pytest.param(ageing(following=SUCCESSOR), LIFE * 0.9, [Promote], id="then it does"),
        pytest.param(
            ageing(following=SUCCESSOR, since_when=LIFE * 0.9),
            LIFE * 0.9,
            [],
            id="not before everybody trusts it",
        ),
    ],
)
def test_a_ca_is_followed_by_another_in_two_phases(
    objects: Objects, after: timedelta, expected: list[type]
) -> None:
    assert kinds(plan(objects, after=after)) == expected


def test_an_announced_ca_is_in_every_bundle() -> None:
    objects = msgspec.structs.replace(ageing(), ca=a_secret(ca_data(OURS, following=SUCCESSOR)))
    made = plan(objects, after=LIFE * 0.9 - DAY / 2)
    assert kinds(made) == [Publish, Inject]
    assert {each.bundle for each in made.commands} == {pems(OURS, SUCCESSOR)}  # type: ignore[union-attr]


def test_a_promoted_ca_leaves_its_predecessor_trusted() -> None:
    (promote,) = plan(ageing(following=SUCCESSOR), after=LIFE * 0.9).commands
    assert isinstance(promote, Promote)
    assert [each.pem for each in promote.previous] == [OURS.cert_pem]


def test_half_a_successor_is_taken_out() -> None:
    made = plan(with_ca({**ca_data(OURS), "next.crt": SUCCESSOR.cert_pem}))
    assert kinds(made) == [DropNext]


def test_no_flaw_shows_a_key() -> None:
    made = plan(with_ca({"ca.crt": OURS.cert_pem, "ca.key": THEIRS.key_pem, "x": b"hidden"}))
    assert "PRIVATE" not in str(made.flaws)
    assert "hidden" not in str(made.flaws)
