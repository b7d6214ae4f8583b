"""Ensembles: several classifiers that act as one classifier."""
