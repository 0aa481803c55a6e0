"""How fast `harness run` is, beside a bare client that sends the same requests: see README.md."""
