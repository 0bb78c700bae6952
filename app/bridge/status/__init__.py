"""Task → PodStatus: ECS's states, exit codes and reasons in a kubelet's words. Pure.

Never here: what to do about them (`app.bridge.decision`), or writing the status.
"""
