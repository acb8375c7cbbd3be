"""The rules that every room shares: what is measured, how it is written down, how it is ranked."""
