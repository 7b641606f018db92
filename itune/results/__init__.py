"""What finished runs came to: their records, collections of them, and comparisons."""
