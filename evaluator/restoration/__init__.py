"""What restorative decoders share: weight files, key layouts, networks and colour fixes."""
