"""Recording of a worker's answers: the last hour, the latest pictures and rejections."""
