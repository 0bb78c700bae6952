"""The labels and annotations that the page names are those that users may set, each once."""

from app.fargate.words import WORDS
from app.model import names


def test_every_key_that_users_may_set_is_named_where_it_stands() -> None:
    assert sorted((word.where, word.key) for word in WORDS) == sorted(
        [
            ("namespace label", names.OVERFLOW),
            ("namespace annotation", names.ALLOWED_ROLES),
            ("namespace annotation", names.MAX_PODS),
            ("namespace annotation", names.MAX_VCPU),
            ("namespace annotation", names.MAX_HOURLY_COST),
            ("virtual node annotation", names.GATE),
            ("namespace annotation", names.NETWORK_POLICIES),
            ("namespace annotation", names.SECURITY_GROUPS),
            ("pod label", names.OVERFLOW),
            ("pod annotation", names.ATTEMPT),
            ("pod annotation", names.CAPACITY),
            ("pod annotation", names.DELETION_COST),
            ("pod annotation", names.EARLY),
            ("pod annotation", names.KUBE2IAM_ROLE),
            ("pod annotation", names.MAX_WAIT),
            ("service account annotation", names.IRSA_ROLE),
        ]
    )


def test_every_word_says_its_values_and_what_they_do() -> None:
    assert [word for word in WORDS if not word.values or not word.meaning] == []
