"""What the restorative T2I adapters are made of: networks, colour fixes, checkpoint layouts."""
