"""Fine-tuning of a stack's network on labelled pictures. Needs TensorFlow."""
