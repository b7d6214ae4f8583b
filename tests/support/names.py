"""Names of the topics and groups of an application with the default settings."""

from catdog_stream.kafka.names import Names, recount_group

NAMES = Names()
REQUESTS, LABELS, REJECTED = NAMES.topics
VOTES, REPLAYED = NAMES.votes, NAMES.replayed
GROUP, RECOUNT_GROUP = NAMES.group, recount_group(NAMES.group)
