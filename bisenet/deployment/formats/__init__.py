"""The formats of exported networks, and their runtimes."""
