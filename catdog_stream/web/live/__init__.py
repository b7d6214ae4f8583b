"""Live updates of open pages; nothing runs while no page is open."""
