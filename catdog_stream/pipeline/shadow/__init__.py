"""Shadow: a second stack that classifies pictures beside the answering one, in its own process.

It must never delay or fail an answer. In a thread of the worker it could do both: a thread of low
priority keeps Python's global lock while the scheduler does not run it, and a model that crashes
ends its process. So the shadow is a process with the lowest priority, which is killed if it hangs.

``watching`` is the worker's side: a bounded queue that drops what does not fit, and a thread that
sends one picture after the other. ``process`` is the other side: it classifies, compares
(``comparing``) and keeps pictures on which the two stacks disagree (``keeping``).
"""
