"""The benchmark: pictures, references, captions, decoded pictures and human scores."""
