"""Pod → task: the task definition, RunTask's overrides, and what has to be brought along. Pure.

Never here: reading ConfigMaps, Secrets or images (`app.bridge.material` gathers them), or launching.

Read `task_spec` first: it is the whole, and calls the rest in this order.

needs         what a pod refers to, from its spec alone; material is what was found of it
volumes       what the task mounts, and the files in it
containers    each container's definition, of its environment (words), its rights and the helper's lines
shares        the task's size; overrides what travels in RunTask's overrides; caveats what to tell people
standing      what namespace and annotations say: identity the role, network the security groups
injected      what admission put into the pod that a task does without
scene         what every part looks at; problems and answers how parts say no, and how that is told
"""
