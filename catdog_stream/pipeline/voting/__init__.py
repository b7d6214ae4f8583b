"""Aggregation of votes into published decisions. The package does not depend on Faust or Kafka.

The ``VoteAggregator`` has a ``PartitionState`` for each partition. Its ``VoteJoin`` joins the votes
by request, and keeps their unacknowledged records (``PendingAcks``). The ``VoteIngester`` adds
records to the join, the ``Decider`` decides requests when they are due, and a ``Decision`` combines
the votes. The ``VoteBudget`` limits the memory for waiting votes.
"""
