"""Commands that enroll people, recognise them, and correct what was enrolled."""
