"""Agents: thin loops between a topic and the logic that answers its records."""
