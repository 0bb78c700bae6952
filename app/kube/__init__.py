"""The Kubernetes adapter: `app.ports.kubernetes` and `app.ports.watched` against a real API server.

The official client finds the server, proves who we are and speaks TLS; requests and answers pass it as raw
JSON, because its typed models drop fields that they do not know and cost ten times the time. What is read is
decoded straight into `app.model`.

Never here: a decision of any program, and no exception of the client or of aiohttp gets out.
"""
