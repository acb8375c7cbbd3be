"""What came out: means by mode and content, and the scores of every picture."""
