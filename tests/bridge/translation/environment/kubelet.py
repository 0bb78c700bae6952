"""What a kubelet and the in-task helper do, written anew and without their help, to compare with."""

import base64
from collections.abc import Mapping
from typing import Any

from app.bridge.translation.environment.resolved import Resolved

SECRETS = {"s1": {"A": "se$(B)cret", "k": "$$"}, "s2": {"B": "", "k": "x$(C"}}
"""Values of Secrets, as awkward as they come."""

MAPS = {"m1": {"A": "$(B)", "C": "plain"}, "m2": {"D": "$$(A)", "k": "v"}}
ADDRESS = "10.1.2.3"


def expand_by_hand(text: str, known: Mapping[str, str]) -> str:
    """Kubelet's expansion, character by character."""
    done, rest = "", text
    while rest:
        if rest.startswith("$$"):
            done, rest = done + "$", rest[2:]
        elif rest.startswith("$(") and ")" in rest:
            name, rest = rest[2:].split(")", 1)
            done += known.get(name, f"$({name})")
        else:
            done, rest = done + rest[0], rest[1:]
    return done


def kubelets(container: Mapping[str, Any], *, fields: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The environment and the words with which a kubelet starts the container."""
    known: dict[str, str] = {}
    for source in container["envFrom"]:
        held = (
            MAPS[source["configMapRef"]["name"]]
            if "configMapRef" in source
            else SECRETS[source["secretRef"]["name"]]
        )
        known |= {source["prefix"] + key: value for key, value in held.items()}
    for variable in container["env"]:
        known[variable["name"]] = _value(variable, known, fields)
    return known, [expand_by_hand(word, known) for word in (*container["command"], *container["args"])]


def _value(variable: Mapping[str, Any], known: Mapping[str, str], fields: Mapping[str, str]) -> str:
    if "value" in variable:
        return expand_by_hand(variable["value"], known)
    ((kind, source),) = variable["valueFrom"].items()
    if kind == "fieldRef":
        return fields[source["fieldPath"]]
    return (SECRETS if kind == "secretKeyRef" else MAPS)[source["name"]][source["key"]]


def helpers(answer: Resolved) -> tuple[dict[str, str], list[str]]:
    """What the command gets where ECS sets the variables and the helper carries out its lines."""
    known = {name: _kept(value_from) for name, value_from in answer.secrets.items()} | answer.environment
    words = [*answer.command, *answer.args]
    for line in answer.run:
        match line.split(" "):
            case ["fact", name, "podIP"]:
                known[name] = ADDRESS
            case ["env", name, text]:
                known[name] = expand_by_hand(base64.b64decode(text).decode(), known)
            case ["words"]:
                words = [expand_by_hand(word, known) for word in words]
            case _:
                raise AssertionError(line)
    return {name: value for name, value in known.items() if not name.startswith("SPILLWAY_RUN_VALUE_")}, words


def _kept(value_from: str) -> str:
    name, key = value_from.split(":")
    return SECRETS[name][key]
