"""Train the trees that turn features into chances."""
