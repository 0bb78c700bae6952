"""Leaving: closes the gate, moves overflow away, proves that no billed task is left, removes our objects.

Gather (`drain`), decide (`decision`, pure), apply (`drain` and `removal`, which alone write). All of it may
be cut off anywhere and begun again: what was done shows in Kubernetes and in ECS.

Never here: where pods go, a Kubernetes client, boto3, or words for a terminal.
"""
