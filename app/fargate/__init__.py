"""What Fargate can run: its sizes, and which pods it refuses, with every reason.

Pure. Never here: calls to AWS (`app.aws`), what a pod becomes as an ECS task (`app.bridge.translation`), or
whether a pod *should* burst (`app.extender`).
"""
