"""What Fargate can run: the ledger of pod fields, with every refusal and its reason, and the sizes it sells.

`eligibility` is the door: `refusals` and `caveats` of a pod. `ledger` collects the rows of the `*_fields`
modules, one for each field of core/v1. Pure. Never here: calls to AWS (`app.aws`), what a pod becomes as an
ECS task (`app.bridge.translation`), or whether a pod *should* burst (`app.extender`).
"""
