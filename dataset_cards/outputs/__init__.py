"""What runs made: the files that were sent and the pictures that were decoded from them."""
