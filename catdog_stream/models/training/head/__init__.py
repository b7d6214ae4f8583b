"""Training of heads: the trees that turn features into probabilities."""
