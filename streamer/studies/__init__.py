"""Studies: several runs, and what they come to; a folder per study. None of them imports the command line."""
