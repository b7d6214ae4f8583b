"""The process: what it consists of, how it starts and ends, and what it says of its health."""
