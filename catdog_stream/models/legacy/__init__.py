"""The first system's parts, its pickled head and its TF-Slim checkpoint, made into a stack."""
