"""``python -m streamer``."""

from streamer.cli.main import main

if __name__ == "__main__":  # programs that list a package's modules import it
    main()
