"""What profiles say: where the time goes, how far it is from the roof, what would help, and what differs."""
