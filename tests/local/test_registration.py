from app.local.registration import CONDITIONS, webhook_configuration

URL = "https://127.0.0.1:8443"


def test_each_word_of_a_namespace_has_its_entry_and_tolerant_pods_have_one() -> None:
    entries = webhook_configuration(url=URL, ca_pem=b"PEM")["webhooks"]
    assert [each["clientConfig"]["url"] for each in entries] == [
        f"{URL}/mutate/enabled",
        f"{URL}/mutate/permitted",
        f"{URL}/mutate/tolerant",
    ]
    assert {each["failurePolicy"] for each in entries} == {"Ignore"}


def test_the_entry_for_tolerant_pods_sees_every_namespace_and_is_narrowed_by_conditions() -> None:
    *labelled, tolerant = webhook_configuration(url=URL, ca_pem=b"PEM")["webhooks"]
    assert all("matchConditions" not in each for each in labelled)
    assert "namespaceSelector" not in tolerant
    assert tolerant["matchConditions"] == list(CONDITIONS)


def test_an_api_server_without_cel_gets_no_conditions() -> None:
    entries = webhook_configuration(url=URL, ca_pem=b"PEM", conditions=False)["webhooks"]
    assert [each for each in entries if "matchConditions" in each] == []


def test_where_nobody_is_asked_about_marked_pods_alone_tolerant_pods_have_no_entry() -> None:
    entries = webhook_configuration(url=URL, ca_pem=b"PEM", tolerant=False)["webhooks"]
    assert [each["name"] for each in entries] == [
        "enabled.overflow.spillway.dev",
        "permitted.overflow.spillway.dev",
    ]
