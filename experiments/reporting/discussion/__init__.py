"""The text of discussions, made from their topics: templates and formats."""
