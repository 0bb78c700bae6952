"""Who may use the node's API: who calls, what they ask of `nodes`, and what the cluster lets them do.

Never here: TLS itself (`app.tls`), or what is answered to those that may.
"""
