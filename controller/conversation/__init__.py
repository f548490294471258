"""What was said, read by people and programs: answers beside their requests, chosen, drawn."""
