"""What this machine is: CPU, control groups, software, accelerators, noise, memory."""
