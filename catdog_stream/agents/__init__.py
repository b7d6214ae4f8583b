"""The agents: thin loops between a topic and the logic that answers it."""
