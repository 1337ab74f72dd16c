"""New volumes with the content of something that exists."""
