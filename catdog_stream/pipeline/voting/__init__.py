"""From votes to published decisions. Knows no Faust and no Kafka.

``jury`` decides the requests of all partitions. ``docket`` joins the votes of one, with the records
of them that are not acknowledged (``unacknowledged``); ``decision`` says what they come to, and
``room`` how many may wait.
"""
