"""The report: its content as plain data, and the page, Markdown and JSON made from it."""
