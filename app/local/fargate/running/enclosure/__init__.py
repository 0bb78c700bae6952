"""The program that stands before a container with a root file system of its own: builds one, and becomes it.

It runs in an isolated interpreter, once per container, so it starts fast and imports nothing but the standard
library and itself. Never here: asyncio, msgspec, or anything of the embedded Fargate around it.

The root is made of the host's own directories, each under an overlay, so that writes stay in the container;
what the container mounts comes on top. All of it lives in a mount namespace and goes away with the last
process in it.

There is no namespace of process ids: containers see the host's processes, the first one of a container is not
process 1, and a process that leaves the container's group outlives it. What is written outside of volumes is
held in memory.

As root that namespace is all it takes, and users are real. Otherwise a user namespace comes first, in which
this user has the wanted number: every file has a single owner then, and there is no other number to change to
(https://man7.org/linux/man-pages/man7/user_namespaces.7.html).
"""
