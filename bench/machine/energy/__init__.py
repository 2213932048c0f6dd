"""Counters of energy: of cards by NVIDIA's driver, of the CPU by the kernel's powercap folder."""
