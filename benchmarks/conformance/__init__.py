"""The conformance kit: a tiny model of every head that sees what a picture shows, and who decodes it how."""
