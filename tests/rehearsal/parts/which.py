"""Name the device: `python -m tests.rehearsal.parts.which [DEVICE]` prints its full name and NVIDIA's UUID of it.

A process of its own, as only a process that ends may open a driver. Needs torch alone.
"""

import sys

import torch


def main(name: str = "") -> int:
    """Print the device, by default the first accelerator, else the CPU; fail where torch has no such device."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    present = ["cpu"]
    if accelerator is not None:
        present += [f"{accelerator.type}:{index}" for index in range(torch.accelerator.device_count())]
    full = present[:2][-1] if not name else name if name in present else f"{name}:0"
    if full not in present:
        sys.exit(f"no device {name!r} on this machine (devices: {', '.join(present)})")
    uuid = ""
    if full.startswith("cuda") and torch.version.cuda is not None:
        uuid = str(getattr(torch.cuda.get_device_properties(full), "uuid", ""))
    sys.stdout.write(f"{full} {uuid}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
