import base64

import pytest

from app.local.scheduler_configuration import scheduler_configuration


def test_without_an_extender_it_is_a_plain_scheduler() -> None:
    config = scheduler_configuration(kubeconfig_path="kubeconfig")
    assert "extenders" not in config
    assert config["profiles"] == [{"schedulerName": "default-scheduler"}]
    assert config["leaderElection"] == {"leaderElect": False}


def test_the_extender_gets_names_may_be_ignored_and_is_verified() -> None:
    config = scheduler_configuration(
        kubeconfig_path="kubeconfig", extender_url="https://127.0.0.1:8443/extender", ca_data=b"PEM"
    )
    assert config["extenders"] == [
        {
            "urlPrefix": "https://127.0.0.1:8443/extender",
            "filterVerb": "filter",
            "preemptVerb": "preempt",
            "nodeCacheCapable": True,
            "ignorable": True,
            "httpTimeout": "2s",
            "weight": 16,
            "enableHTTPS": True,
            "tlsConfig": {"caData": base64.b64encode(b"PEM").decode()},
        }
    ]


def test_prioritize_is_configured_only_where_asked() -> None:
    config = scheduler_configuration(
        kubeconfig_path="kubeconfig", extender_url="http://127.0.0.1:1/extender", prioritize=True
    )
    assert config["extenders"][0]["prioritizeVerb"] == "prioritize"
    assert "tlsConfig" not in config["extenders"][0]


def test_https_without_an_authority_is_refused() -> None:
    with pytest.raises(ValueError, match="pass ca_data"):
        scheduler_configuration(kubeconfig_path="kubeconfig", extender_url="https://127.0.0.1:1/x")


def test_marked_pods_alone_are_asked_about_only_where_asked() -> None:
    config = scheduler_configuration(
        kubeconfig_path="kubeconfig", extender_url="http://127.0.0.1:1/extender", marked_only=True
    )
    assert config["extenders"][0]["managedResources"] == [
        {"name": "spillway.dev/overflow", "ignoredByScheduler": False}
    ]
