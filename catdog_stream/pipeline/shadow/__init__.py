"""A second stack that looks at what is answered, beside the one that answers, in a process apart.

It must never delay or fail an answer. In a thread of the worker it would do both: a thread of low
priority holds Python's global lock for as long as it is kept from running, and a model that crashes
takes its process along. So it is a process, of the lowest priority, which is killed when it hangs.

``watching`` is the worker's side: a queue that drops what there is no room for, and a thread that
hands one picture after the other over. ``process`` is the other side: it looks, compares
(``comparing``) and keeps pictures about which there are two opinions (``keeping``).
"""
