"""Facts of this machine: CPU, control groups, software, accelerators, noise, memory."""
