"""Pictures, captions and tiny models to try the whole pipeline with, all made by code."""
