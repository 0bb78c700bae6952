import pytest

from app.extender.decision.preference import (
    AS_EVER,
    Preference,
    PreferenceError,
    Preferences,
    preferences_of,
)
from tests.builders import a_pod


@pytest.mark.parametrize(
    ("entries", "name", "preference"),
    [
        pytest.param((), "batch", Preference.PREEMPT_FIRST, id="nothing said"),
        pytest.param(("batch=wait",), "batch", Preference.WAIT, id="by name"),
        pytest.param((" batch = wait ",), "batch", Preference.WAIT, id="with blanks"),
        pytest.param(("batch=wait",), "batch-2", Preference.PREEMPT_FIRST, id="another name"),
        pytest.param(("batch=wait", "*=burst"), "other", Preference.BURST, id="any other"),
        pytest.param(("*=burst", "batch=wait"), "batch", Preference.WAIT, id="the name outranks the star"),
        pytest.param(("*=preempt",), "", Preference.PREEMPT, id="a pod of no class"),
        pytest.param(("*=preempt-first",), "", Preference.PREEMPT_FIRST, id="the default, said"),
        pytest.param(
            ("system-node-critical=preempt",), "system-node-critical", Preference.PREEMPT, id="system's"
        ),
    ],
)
def test_a_pod_has_the_preference_of_its_class(
    entries: tuple[str, ...], name: str, preference: Preference
) -> None:
    assert preferences_of(entries).of(a_pod(priorityClassName=name)) is preference


@pytest.mark.parametrize(
    ("entry", "mend"),
    [
        pytest.param("batch", 'has no "="', id="no word"),
        pytest.param("", 'has no "="', id="nothing"),
        pytest.param("batch=evict", "burst, preempt, preempt-first, wait", id="unknown word"),
        pytest.param("batch=", "burst, preempt, preempt-first, wait", id="empty word"),
        pytest.param("batch=Burst", "burst, preempt, preempt-first, wait", id="word in capitals"),
        pytest.param("Batch=wait", "kubectl get priorityclasses", id="name in capitals"),
        pytest.param("=wait", "kubectl get priorityclasses", id="no name"),
        pytest.param("ba*=wait", "kubectl get priorityclasses", id="a pattern"),
        pytest.param(f"{'a' * 254}=wait", "kubectl get priorityclasses", id="too long a name"),
        pytest.param("batch=wait=burst", "burst, preempt, preempt-first, wait", id="two words"),
    ],
)
def test_an_entry_that_means_nothing_is_told_with_its_mend(entry: str, mend: str) -> None:
    with pytest.raises(PreferenceError, match=r".") as raised:
        preferences_of((entry,))
    assert mend in str(raised.value)


@pytest.mark.parametrize("name", ["batch", "*"])
def test_a_class_that_is_named_twice_is_told(name: str) -> None:
    with pytest.raises(PreferenceError, match="twice"):
        preferences_of((f"{name}=wait", f"{name}=burst"))


@pytest.mark.parametrize(
    ("preferences", "somebody"),
    [
        pytest.param(AS_EVER, False, id="nothing said"),
        pytest.param(preferences_of(("a=preempt", "*=preempt-first")), False, id="all preempt"),
        pytest.param(preferences_of(("a=burst",)), True, id="one bursts"),
        pytest.param(preferences_of(("*=wait",)), True, id="all wait"),
    ],
)
def test_only_classes_that_burst_or_wait_spare_somebody(preferences: Preferences, somebody: bool) -> None:
    assert preferences.spares_somebody is somebody
