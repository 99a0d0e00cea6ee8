"""The name of the synthetic street: in the metadata of its clips, and as a source."""

SCENE = "synthetic:street"
