"""The record of each scheduled frame, and the law that each has one outcome."""
