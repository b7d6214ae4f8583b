"""From votes to published decisions. Knows no Faust and no Kafka.

The ``jury`` has a ``bench`` for each partition. Its ``docket`` joins the votes, and has the records
of them that are not acknowledged (``unacknowledged``). The ``clerk`` puts records into it, the
``judge`` decides what is due, and ``decision`` says what votes come to. ``room`` says how many may
wait.
"""
