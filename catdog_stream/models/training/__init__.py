"""Making a stack of labelled pictures, and measuring it."""
