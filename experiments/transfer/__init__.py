"""A trained model in a new domain: domain shift, alignment, adaptation without labels, and few-shot learning."""
