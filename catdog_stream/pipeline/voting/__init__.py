"""From votes to published decisions. Knows no Faust and no Kafka.

``jury`` decides the requests of all partitions; ``docket`` joins the votes of one, and
``decision`` says what the votes on a request come to.
"""
