"""What runs a stack's network: pictures in, features out."""
