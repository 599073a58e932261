"""Long campaigns against real nodes; tests run each of them in a short form."""
