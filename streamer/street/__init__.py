"""What the synthetic street of ``streamer.scene`` is made of: its camera, light, traffic and drawing."""
