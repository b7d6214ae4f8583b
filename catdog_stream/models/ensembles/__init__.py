"""Several classifiers that are asked as one."""
