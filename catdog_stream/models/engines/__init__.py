"""Inference engines, which run a stack's network: from pictures to features."""
