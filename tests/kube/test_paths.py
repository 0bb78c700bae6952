import pytest

from app.kube import paths


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(paths.pod("shop", "web-1"), "/api/v1/namespaces/shop/pods/web-1", id="pod"),
        pytest.param(paths.node("n"), "/api/v1/nodes/n", id="node"),
        pytest.param(paths.event("shop", "e.1"), "/api/v1/namespaces/shop/events/e.1", id="event"),
        pytest.param(
            paths.lease("kube-node-lease", "n"),
            "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n",
            id="lease",
        ),
        pytest.param(paths.secret("shop", "db"), "/api/v1/namespaces/shop/secrets/db", id="secret"),
        pytest.param(
            paths.eviction("shop", "web-1"), "/api/v1/namespaces/shop/pods/web-1/eviction", id="eviction"
        ),
        pytest.param(
            paths.controller("apps/v1", "replicasets", "shop", "web"),
            "/apis/apps/v1/namespaces/shop/replicasets/web",
            id="controller",
        ),
        pytest.param(
            paths.controller("v1", "replicationcontrollers", "shop", "web"),
            "/api/v1/namespaces/shop/replicationcontrollers/web",
            id="controller of the core",
        ),
        pytest.param(paths.volume("pv-1"), "/api/v1/persistentvolumes/pv-1", id="volume"),
        pytest.param(
            paths.node("../pods?x"), "/api/v1/nodes/..%2Fpods%3Fx", id="a name cannot leave its place"
        ),
    ],
)
def test_objects_live_where_the_api_puts_them(path: str, expected: str) -> None:
    assert path == expected
