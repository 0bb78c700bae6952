"""The adapter for container registries: `app.ports.images` by the OCI distribution protocol.

Every image name is a tenant's, and so is whatever the named host answers: answers are bounded in size, time
and number, digests are verified, and nothing but HTTPS is spoken beyond this machine's loopback.

Never here: layers of an image, writing to a registry, what a pod's command becomes, or how AWS lends a login.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""
