"""What was asked, where it stands, and what happened."""
