"""A container's variables and words, as a kubelet makes them before it starts the container. Pure.

Never here: which words go into the definition, and which into the overrides (`translation.overrides`).

resolved      the whole: variables, command and args of one container, as far as they are known before launch
variables     where each variable comes from; sources ConfigMaps and Secrets; downward the pod's own fields;
              service_links the Services of the namespace; hostname HOSTNAME
expansion     `$(NAME)`, even of values that only the task will know
resolution    names: what stands in /etc/hosts and /etc/resolv.conf
"""
