"""What the synthetic street of ``streamer.street.scene`` is made of: its camera, light, traffic and drawing."""
