"""Who may use the node's API: client certificates, bearer tokens, and what the cluster lets them do.

Never here: how a connection is encrypted, or what is answered to those that may.
"""
