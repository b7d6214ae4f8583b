"""Training of a whole stack on a folder of labelled pictures: one module for each step."""
