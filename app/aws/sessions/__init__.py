"""Terminals in running containers: ECS Exec, and Session Manager's data channel below it.

What the channel says and when is decided by pure modules (`frames`, `handshake`, `outbox`, `inbox`,
`encryption`, `channel`: bytes and moments in, bytes and events out); `session` and `ecs_sessions` do the
waiting, the calling and the sending. Never here: what people's commands mean, or how their streams are framed
inside the terminal.
"""
