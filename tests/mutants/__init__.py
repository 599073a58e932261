"""Does the campaign find mistakes? The VM with one mistake at a time, and what notices it."""
