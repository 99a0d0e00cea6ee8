"""How a clip of the synthetic street says in its metadata what it is, and how the street itself is asked for."""

SCENE = "synthetic:street"
