"""The embedded scheduler: kube-scheduler 1.36's behaviour as far as pods, nodes and extenders can see it.

One serial cycle: filter → extenders → score → assume → bind, else preempt and explain. The deciding modules
(`snapshot`, `affinity`, `filters`, `spread`, `scoring`, `preemption`, `explain`, `hints`, `queueing`) are
pure; `scheduler` is the shell and `cycle` asks the extender. Never here: anything about Fargate or grants;
that is the extender's knowledge.

https://kubernetes.io/docs/concepts/scheduling-eviction/scheduling-framework/
"""
