"""Pods for property tests: rich ones that an API server admits and Fargate runs, and their replicas."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from app.bridge.translation.material import Material, SealedToken, StoredKey, StoredObject, TokenWish
from app.model.meta import ObjectMeta
from app.model.objects import ConfigMap, Service, ServiceAccount
from app.model.pod import Pod
from tests.bridge.translation.builders import IMAGE, an_image
from tests.builders import NOON

Body = dict[str, Any]

_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_CPU = st.sampled_from(["1m", "50m", "100m", "241m", "250m", "0.5", "1", "1500m"])
_MEMORY = st.sampled_from(["1", "16Mi", "100M", "128Mi", "170.5Mi", "512Mi", "1Gi"])
_WORDS = st.lists(
    st.sampled_from(
        ["serve", "--name=$(NAME)", "$(PASSWORD)", "--ip", "$(ADDRESS)", "$$HOME", "a b", "-v", ""]
    ),
    max_size=4,
)
_PLAIN = st.sampled_from(["", "1", "x" * 900, "$(NAME)/$(MODE)", "pw:$(PASSWORD)", "$(NOBODY)"])


def _variable(name: str, **source: Any) -> Body:
    return {"name": name, "valueFrom": source}


def _field(name: str, path: str) -> Body:
    return _variable(name, fieldRef={"fieldPath": path})


_SOURCED = [
    _field("NAME", "metadata.name"),
    _field("SPACE", "metadata.namespace"),
    _field("APP", "metadata.labels['app']"),
    _field("ADDRESS", "status.podIP"),
    _field("NODE", "spec.nodeName"),
    _variable("MODE", configMapKeyRef={"name": "settings", "key": "mode"}),
    _variable("PASSWORD", secretKeyRef={"name": "login", "key": "password"}),
    _variable("MAYBE", secretKeyRef={"name": "absent", "key": "x", "optional": True}),
    _variable("CORES", resourceFieldRef={"resource": "limits.cpu"}),
]
_VARIABLES = st.lists(
    st.one_of(
        st.sampled_from(_SOURCED),
        st.builds(lambda name, value: {"name": name, "value": value}, st.sampled_from("ABCDEF"), _PLAIN),
    ),
    max_size=6,
)
_ENV_FROM = st.lists(
    st.sampled_from(
        [{"configMapRef": {"name": "settings"}}, {"prefix": "P_", "secretRef": {"name": "login"}}]
    ),
    max_size=2,
)


def _exec_probe() -> st.SearchStrategy[Body]:
    return st.fixed_dictionaries(
        {"exec": st.just({"command": ["check"]})},
        optional={
            "periodSeconds": st.integers(1, 400),
            "timeoutSeconds": st.integers(1, 90),
            "failureThreshold": st.integers(1, 40),
            "initialDelaySeconds": st.integers(0, 600),
        },
    )


_NETWORK_PROBE = st.sampled_from([{"httpGet": {"path": "/", "port": 80}}, {"tcpSocket": {"port": 80}}])
_HANDLER = st.sampled_from([{"exec": {"command": ["sh", "-c", "x"]}}, {"sleep": {"seconds": 3}}])
_RIGHTS = st.fixed_dictionaries(
    {},
    optional={
        "runAsUser": st.sampled_from([0, 1000]),
        "runAsGroup": st.just(3000),
        "allowPrivilegeEscalation": st.booleans(),
        "readOnlyRootFilesystem": st.booleans(),
        "capabilities": st.sampled_from(
            [{"drop": ["ALL"]}, {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}, {"add": ["SYS_PTRACE"]}]
        ),
    },
)


@st.composite
def _resources(draw: st.DrawFn) -> Body:
    """Requests no larger than the limits beside them, as the API server has it."""
    asked: Body = {"cpu": draw(_CPU), "memory": draw(_MEMORY)}
    kind = draw(st.sampled_from(["none", "requests", "limits", "both"]))
    choices: Mapping[str, Body] = {
        "none": {},
        "requests": {"requests": asked},
        "limits": {"limits": asked},
        "both": {"requests": asked, "limits": {"cpu": "2", "memory": "2Gi"}},
    }
    return choices[kind]


_VOLUMES: Mapping[str, Body] = {
    "disk": {"emptyDir": {"sizeLimit": "30Gi"}},
    "memory": {"emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}},
    "settings": {"configMap": {"name": "settings", "defaultMode": 0o400}},
    "login": {"secret": {"secretName": "login", "items": [{"key": "password", "path": "deep/pw"}]}},
    "about": {
        "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]},
    },
    "who": {
        "projected": {
            "sources": [
                {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 600}},
                {"downwardAPI": {"items": [{"path": "me", "fieldRef": {"fieldPath": "metadata.name"}}]}},
            ]
        }
    },
}

_MOUNTS = st.sampled_from(
    [
        *({"name": each, "mountPath": f"/mnt/{each}"} for each in sorted(_VOLUMES)),
        {"name": "login", "mountPath": "/mnt/login", "subPath": "deep"},
        {"name": "settings", "mountPath": "/mnt/mode", "subPath": "mode"},
        {"name": "disk", "mountPath": "/mnt/disk", "subPathExpr": "cache"},
    ]
)
_IMAGES = {
    IMAGE: an_image(),
    "registry.example/numbered:1": an_image(user="1000:1000", command=("--verbose",)),
    "registry.example/named:1": an_image(user="app", entry_point=("sh", "-c"), command=("echo $$(X)",)),
}


@st.composite
def _container(draw: st.DrawFn, name: str, *, kind: str) -> Body:
    fields = draw(
        st.fixed_dictionaries(
            {"env": _VARIABLES, "args": _WORDS, "resources": _resources()},
            optional={
                "command": st.sampled_from([["run"], ["sh", "-c"], ["run", "$(NAME)"]]),
                "envFrom": _ENV_FROM,
                "securityContext": _RIGHTS,
                "terminationMessagePath": st.just("/var/end"),
                "tty": st.booleans(),
                "workingDir": st.just("/srv"),
            },
        )
    )
    lasting = {
        "livenessProbe": st.one_of(_exec_probe(), _NETWORK_PROBE),
        "startupProbe": st.one_of(_exec_probe(), _NETWORK_PROBE),
        "lifecycle": st.fixed_dictionaries({}, optional={"preStop": _HANDLER, "postStart": _HANDLER}),
        "ports": st.just([{"containerPort": 80}]),
    }
    more = {} if kind == "init" else draw(st.fixed_dictionaries({}, optional=lasting))
    mounts = draw(st.lists(_MOUNTS, unique_by=lambda mount: mount["name"], max_size=3))
    policy = {"restartPolicy": "Always"} if kind == "sidecar" else {}
    image = draw(st.sampled_from(sorted(_IMAGES)))
    return {"name": name, "image": image, **fields, **more, **policy, "volumeMounts": mounts}


@st.composite
def specs(draw: st.DrawFn) -> Body:
    """A pod template's spec: up to seven containers of all kinds, with most of what is honoured."""
    kinds = draw(st.lists(st.sampled_from(["init", "sidecar"]), max_size=3))
    inits = [draw(_container(f"init-{number}", kind=kind)) for number, kind in enumerate(kinds)]
    count = draw(st.integers(1, 4))
    mains = [draw(_container(f"main-{number}", kind="main")) for number in range(count)]
    more = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "restartPolicy": st.sampled_from(["Always", "OnFailure", "Never"]),
                "terminationGracePeriodSeconds": st.sampled_from([0, 30, 600]),
                "securityContext": st.fixed_dictionaries(
                    {},
                    optional={
                        "runAsUser": st.just(1000),
                        "fsGroup": st.just(2000),
                        "supplementalGroups": st.just([4000]),
                    },
                ),
                "overhead": st.just({"cpu": "100m", "memory": "64Mi"}),
                "shareProcessNamespace": st.booleans(),
                "dnsConfig": st.just(
                    {"searches": ["x.example"], "options": [{"name": "ndots", "value": "2"}]}
                ),
                "enableServiceLinks": st.booleans(),
            },
        )
    )
    volumes = [{"name": name, **source} for name, source in _VOLUMES.items()]
    return {"containers": mains, "initContainers": inits, "volumes": volumes, **more}


def _of_replica_set(number: int) -> Body:
    return {"name": f"web-7c9d-{number:05x}"}


def _of_stateful_set(number: int) -> Body:
    name = f"db-{number}"
    return {"name": name, "hostname": name, "subdomain": "db"}


def _of_indexed_job(number: int) -> Body:
    index = "batch.kubernetes.io/job-completion-index"
    return {
        "name": f"job-{number}-{number:05x}",
        "hostname": f"job-{number}",
        "annotations": {index: str(number)},
        "env": [_field("JOB_COMPLETION_INDEX", f"metadata.annotations['{index}']")],
    }


OWNERS: Mapping[str, Callable[[int], Body]] = {
    "ReplicaSet": _of_replica_set,
    "StatefulSet": _of_stateful_set,
    "Job": _of_indexed_job,
}
"""What each controller makes of its template for one pod."""


def replica(spec: Body, *, owner: str, number: int) -> Pod:
    """The pod that the controller makes of the template, as admission leaves it."""
    made = OWNERS[owner](number)
    token = f"kube-api-access-{number:05x}"
    mount = {"name": token, "mountPath": _TOKEN_PATH, "readOnly": True}

    def admitted(container: Body) -> Body:
        env = [*container["env"], *made.get("env", ())]
        return {**container, "env": env, "volumeMounts": [*container["volumeMounts"], mount]}

    source = {
        "projected": {"sources": [{"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}]}
    }
    body: Body = {
        **spec,
        "containers": [admitted(each) for each in spec["containers"]],
        "initContainers": [admitted(each) for each in spec["initContainers"]],
        "volumes": [*spec["volumes"], {"name": token, **source}],
        "nodeName": "fargate-1a",
        **{key: made[key] for key in ("hostname", "subdomain") if key in made},
    }
    metadata = {
        "name": made["name"],
        "namespace": "shop",
        "uid": f"uid-{number}",
        "labels": {"app": "web"},
        "annotations": made.get("annotations", {}),
    }
    return msgspec.convert({"metadata": metadata, "spec": body}, Pod)


def material_for(number: int) -> Material:
    """What is found for such a pod: all that its specs refer to, with tokens of its own."""
    secret = StoredObject(
        {"password": StoredKey("arn:aws:secretsmanager:eu-west-1:123456789012:secret:s:password::")}
    )
    service: Body = {
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": {"clusterIP": "10.96.0.7", "ports": [{"port": 5432}]},
    }
    token = SealedToken(f"c2VhbGVkLTAw{number:04d}" * 60, NOON + timedelta(seconds=number))
    return Material(
        config_maps={"settings": ConfigMap(data={"mode": "fast", "other": "two\nlines"})},
        secrets={"login": secret},
        services=(msgspec.convert(service, Service),),
        account=ServiceAccount(metadata=ObjectMeta(name="default")),
        tokens={TokenWish("", 3607): token, TokenWish("vault", 600): token},
        seal_key="arn:aws:secretsmanager:eu-west-1:123456789012:secret:seal:key::",
        images=_IMAGES,
    )
