"""Import of a classifier that another library has trained, as a stack. No pickle is read."""
