"""``python -m streamer``."""

from streamer.cli.main import main

if __name__ == "__main__":  # what lists a package's modules imports it
    main()
