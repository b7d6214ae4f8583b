"""What a training leaves for people: one page, with all that belongs to it in it."""
