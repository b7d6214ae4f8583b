"""What a worker notes of its own answers: the last hour, the latest pictures and rejections."""
