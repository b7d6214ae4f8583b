"""Messages: the records of the topics, with their parsers, writers and errors."""
