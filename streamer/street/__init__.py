"""The synthetic street, ``streamer.street.scene``, with its camera, light, traffic and drawing."""
