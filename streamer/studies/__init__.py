"""Questions asked of several engines: a file per question. None of them knows the command line."""
