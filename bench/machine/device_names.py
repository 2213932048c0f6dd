"""What the name of a device, such as ``cpu`` or ``cuda:0``, says without torch."""


def device_type(device: str) -> str:
    """Return torch's type of a device: ``cuda`` for ``cuda:0``."""
    return device.partition(":")[0]


def is_cpu(device: str) -> bool:
    """Return whether the device is the host itself: no queue, no memory and no driver of its own."""
    return device_type(device) == "cpu"
