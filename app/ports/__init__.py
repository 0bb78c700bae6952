"""What the shells need from the outside, as Protocols of at most five methods, and the ways it can fail.

Never here: an implementation. Kubernetes stands in `app.kube`, AWS in `app.aws`, the embedded parts in
`app.local`.
"""
