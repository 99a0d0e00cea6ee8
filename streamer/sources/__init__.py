"""The sources of frames, a file for each kind. ``registry`` chooses by the text of SOURCE."""
