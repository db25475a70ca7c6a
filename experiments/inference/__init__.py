"""Reading of digits and rows of digits in pictures."""
