"""What the machine is asked for: processes, devices, files, signals."""
