"""Training data: validation of the pictures, and the split into parts."""
