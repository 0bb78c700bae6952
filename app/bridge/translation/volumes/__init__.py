"""A pod's volumes as the task's: where each is mounted, and the files that the helper writes into it. Pure.

Never here: reading what goes into the files (`app.bridge.material`).

brought       the whole, put together of one fragment for each volume
mounts        which container mounts what, and parts of a volume that become volumes of their own
scratch       emptyDir; claims EFS and EBS; written ConfigMaps, Secrets, the downward API and tokens
files         the lines of the helper's plan; projection which keys become which files
"""
