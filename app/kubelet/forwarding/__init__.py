"""`kubectl port-forward`: streams in a client's connection, each joined to a connection to a pod's port.

Never here: which pods there are, or who may reach them.
"""
