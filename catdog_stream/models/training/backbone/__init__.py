"""Fine-tune a stack's network on labelled pictures. Needs TensorFlow."""
