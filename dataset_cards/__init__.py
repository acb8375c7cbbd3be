"""What lies on the Hub: one folder for each Hub dataset. None is here yet."""
