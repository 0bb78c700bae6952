"""Session Manager: sessions in containers, and the data channels over which clients speak to them.

It is written from what is known of the protocol, and of no client: what a client does otherwise than
Session Manager's own is a violation, which ends the session and is told.

`frames`, `messages`, `inbox` and `outbox` know the protocol and do nothing; `session` is one session,
`manager` all of them, `channel` the WebSocket; `disturbances` has happen what was ordered to go wrong.
Never here: who may open a session, and in which container (`ecs`), or a terminal itself (`running`).
"""
