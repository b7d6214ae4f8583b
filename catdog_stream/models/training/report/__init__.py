"""The report of a training for people: one self-contained page of HTML."""
