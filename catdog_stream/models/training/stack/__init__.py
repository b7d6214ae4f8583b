"""From a folder of labelled pictures to a stack, all of it: one step a file."""
