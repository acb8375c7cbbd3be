"""How a codec is measured: encode to real bytes, decode from those bytes alone, score."""
