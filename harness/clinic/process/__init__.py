"""One process that serves the clinic, and several behind one address."""
