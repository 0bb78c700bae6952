from app.kube.event_series import BURST, KEEP_SECONDS, MEMORY, EventSeries, Series, Subject
from tests.builders import NOON


def a_subject(name: str = "web-1", *, reason: str = "BackOff", message: str = "again") -> Subject:
    return Subject(about=("Pod", "shop", name, "u1"), kind="Warning", reason=reason, message=message)


def written(series: EventSeries, subject: Subject, *, at: float, name: str = "new") -> Series | None:
    return series.next(subject, name=name, now=NOON, steady=at)


def test_the_first_event_is_new() -> None:
    assert written(EventSeries(), a_subject(), at=0) == Series(name="new", count=1, first=NOON, seen=0)


def test_an_equal_event_counts_the_first_one_up() -> None:
    series = EventSeries()
    written(series, a_subject(), at=0, name="first")
    assert written(series, a_subject(), at=60) == Series(name="first", count=2, first=NOON, seen=60)


def test_another_message_is_another_event() -> None:
    series = EventSeries()
    written(series, a_subject(message="one"), at=0, name="first")
    second = written(series, a_subject(message="two"), at=0)
    assert second is not None
    assert (second.name, second.count) == ("new", 1)


def test_after_ten_silent_minutes_an_equal_event_is_new() -> None:
    series = EventSeries()
    written(series, a_subject(), at=0, name="first")
    later = written(series, a_subject(), at=KEEP_SECONDS + 1)
    assert later is not None
    assert (later.name, later.count) == ("new", 1)


def test_a_forgotten_event_is_new() -> None:
    series = EventSeries()
    written(series, a_subject(), at=0, name="first")
    series.forget(a_subject())
    later = written(series, a_subject(), at=1)
    assert later is not None
    assert later.name == "new"


def spent(series: EventSeries, name: str) -> None:
    for index in range(int(BURST)):
        assert written(series, a_subject(name, message=str(index)), at=0) is not None


def test_an_object_with_too_many_events_gets_no_more() -> None:
    series = EventSeries()
    spent(series, "web-1")
    assert written(series, a_subject("web-1"), at=0) is None


def test_one_objects_flood_leaves_the_others_theirs() -> None:
    series = EventSeries()
    spent(series, "web-1")
    assert written(series, a_subject("web-2"), at=0) is not None


def test_a_bucket_refills_by_one_in_five_minutes() -> None:
    series = EventSeries()
    spent(series, "web-1")
    assert written(series, a_subject("web-1"), at=299) is None
    assert written(series, a_subject("web-1"), at=301) is not None
    assert written(series, a_subject("web-1"), at=302) is None


def test_memory_is_bounded_and_the_longest_unused_go_first() -> None:
    series = EventSeries()
    written(series, a_subject("first"), at=0, name="first")
    for index in range(MEMORY):
        written(series, a_subject(f"other-{index}"), at=1)
    again = written(series, a_subject("first"), at=2)
    assert again is not None
    assert (again.name, again.count) == ("new", 1)
