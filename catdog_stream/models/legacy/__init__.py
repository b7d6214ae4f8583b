"""Import of the first system's models, a pickled head and a TF-Slim checkpoint, as a stack."""
