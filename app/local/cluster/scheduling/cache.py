"""The scheduler's picture of the cluster: nodes, the pods on them, and pods that are about to be bound."""

from collections import defaultdict

from app.local.cluster.apiserver.api import Object
from app.local.cluster.scheduling.hints import NodeChange, PodChange, takes_room
from app.local.cluster.scheduling.snapshot import NodeInfo, Snapshot
from app.model.names import PodUid
from app.model.node import Node
from app.model.pod import Pod


class ClusterCache:
    """Kept by the watch; `snapshot` gives a cycle a value that does not change under it."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._raw_nodes: dict[str, Object] = {}
        self._placed: defaultdict[str, dict[PodUid, Pod]] = defaultdict(dict)
        self._where: dict[PodUid, str] = {}
        self._assumed: dict[PodUid, Pod] = {}
        self._nominated: dict[PodUid, Pod] = {}
        self._infos: dict[str, NodeInfo] = {}

    def put_node(self, node: Node, raw: Object) -> NodeChange:
        """The node as it is now."""
        before = self._nodes.get(node.name)
        self._nodes[node.name] = node
        self._raw_nodes[node.name] = raw
        self._infos.pop(node.name, None)
        return NodeChange.of(before, node)

    def drop_node(self, name: str) -> NodeChange | None:
        """The node is gone; its pods stay known until they go as well."""
        before = self._nodes.pop(name, None)
        self._raw_nodes.pop(name, None)
        self._infos.pop(name, None)
        return None if before is None else NodeChange.of(before, None)

    def put_pod(self, pod: Pod) -> PodChange | None:
        """A pod as it is now; None where it neither took up nor freed room."""
        after = pod if takes_room(pod) else None
        if after is None and pod.uid in self._assumed:
            return None  # the watch has not caught up with the binding yet
        self._nominate(pod)
        known = self._take_off(pod.uid)
        before = None if self._assumed.pop(pod.uid, None) else known
        if after is not None:
            self._place(after)
        return None if before is None and after is None else PodChange.of(before, after)

    def drop_pod(self, pod: Pod) -> PodChange | None:
        """The pod is gone."""
        waited = self._nominated.pop(pod.uid, None)
        self._assumed.pop(pod.uid, None)
        before = self._take_off(pod.uid) or waited
        return None if before is None else PodChange.of(before, None)

    def assume(self, pod: Pod, bound: Pod) -> None:
        """Count the pod on its node while the binding is on its way."""
        self._nominated.pop(pod.uid, None)
        self._assumed[pod.uid] = bound
        self._place(bound)

    def forget(self, uid: PodUid) -> PodChange | None:
        """The binding failed: the room is free again."""
        if self._assumed.pop(uid, None) is None:
            return None
        before = self._take_off(uid)
        return None if before is None else PodChange.of(before, None)

    def is_assumed(self, uid: PodUid) -> bool:
        """Whether a binding is on its way."""
        return uid in self._assumed

    def raw_node(self, name: str) -> Object:
        """The node as the API server has it."""
        return self._raw_nodes[name]

    def snapshot(self) -> Snapshot:
        """Everything as it is now."""
        for name, node in self._nodes.items():
            if name not in self._infos:
                self._infos[name] = NodeInfo.of(node, self._placed[name].values())
        nominated: dict[str, tuple[Pod, ...]] = {}
        for pod in self._nominated.values():
            name = pod.status.nominated_node_name
            nominated[name] = (*nominated.get(name, ()), pod)
        return Snapshot(nodes={name: self._infos[name] for name in self._nodes}, nominated=nominated)

    def _nominate(self, pod: Pod) -> None:
        if pod.status.nominated_node_name and not pod.spec.node_name:
            self._nominated[pod.uid] = pod
        else:
            self._nominated.pop(pod.uid, None)

    def _place(self, pod: Pod) -> None:
        name = pod.spec.node_name
        self._placed[name][pod.uid] = pod
        self._where[pod.uid] = name
        info = self._infos.get(name)
        if info is not None:
            self._infos[name] = info.having([pod])

    def _take_off(self, uid: PodUid) -> Pod | None:
        name = self._where.pop(uid, None)
        if name is None:
            return None
        info = self._infos.get(name)
        pod = self._placed[name].pop(uid)
        if info is not None:
            self._infos[name] = info.without([pod])
        return pod
