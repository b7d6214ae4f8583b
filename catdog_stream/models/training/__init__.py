"""Training of stacks on labelled pictures, and evaluation of stacks."""
