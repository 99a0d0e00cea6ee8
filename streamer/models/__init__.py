"""The models: what they are, where they are kept, and what is made of them."""
