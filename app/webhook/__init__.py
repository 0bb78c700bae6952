"""The mutating admission webhook: AdmissionReview in, JSONPatch out.

Pure and fast: it asks nobody. Never here: placement (`app.extender`), calls to Kubernetes or AWS, or what
Fargate can run (`app.fargate.eligibility`), which every program must answer alike.
"""
