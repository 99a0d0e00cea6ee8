"""Where frames come from: a file per kind of source. ``opening`` chooses by the text of SOURCE."""
