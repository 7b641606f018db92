"""What has no subject of its own: files, JSON, numbers as text, progress, compiling."""
