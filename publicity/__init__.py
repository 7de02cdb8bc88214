"""What the public and the citizen see. Writes nothing of the register."""
