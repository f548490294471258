"""Load for controllers: many switches that only ask, and count what they are answered."""
