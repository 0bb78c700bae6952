from app.registry.recent import Recent


def test_the_value_not_looked_at_for_the_longest_goes_first() -> None:
    recent: Recent[str, int] = Recent(most=2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(key) for key in "abc"] == [1, None, 3]


def test_a_value_replaces_the_earlier_one_and_is_new() -> None:
    recent: Recent[str, int] = Recent(most=2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.put("a", 3)
    recent.put("c", 4)
    assert [recent.get(key) for key in "abc"] == [3, None, 4]
