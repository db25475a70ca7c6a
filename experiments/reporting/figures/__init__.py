"""Figures, one module each. Functions take plain data and return matplotlib figures; the caller saves them."""
