"""Random faults under load, on a cluster of three brokers, and the proof that nothing was lost.

``make chaos SEED=n`` runs it, and so does the test suite, for a shorter time.
"""
