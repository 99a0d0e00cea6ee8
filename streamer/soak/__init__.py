"""How a soak is judged: pure functions over the rows of its ``windows.csv`` and the manifests of its parts."""
