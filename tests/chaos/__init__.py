"""Random faults under load, on a cluster of three brokers, with a check that no request was lost.

``make chaos SEED=n`` runs it; the test suite runs it for a shorter time.
"""
