"""What the performance figures and charts of the documents come from; each is a command."""
