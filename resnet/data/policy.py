"""The augmentation policy: what is done to training images at random. Imports no torch."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """What is done to training images at random; nothing by default.

    Raises:
        ValueError: A value is out of range, or two steps exclude each other.
    """

    crop_padding: int = 0
    """Black pixels around an image, from which a window of the image's size is cut at random (He 2015, §4.2)."""
    flip: bool = False
    """Mirror left and right with probability 1/2."""
    alternating_flip: bool = False
    """Mirror every image in every other epoch; chance decides which half of the images begins (Jordan 2024)."""
    random_resized_crop: bool = False
    """Cut a random box of a file's image, and resize it (Szegedy 2014); for folders of images."""
    erasing: float = 0.0
    """Probability that a random box of an image is blanked with the mean colour (Zhong 2017)."""

    def __post_init__(self) -> None:
        if not isinstance(self.crop_padding, int) or isinstance(self.crop_padding, bool) or self.crop_padding < 0:
            raise ValueError(f"crop_padding must be an integer of at least 0, not {self.crop_padding!r}")
        for name in ("flip", "alternating_flip", "random_resized_crop"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false, not {getattr(self, name)!r}")  # noqa: TRY004 - as above
        if not isinstance(self.erasing, int | float) or not 0 <= self.erasing <= 1:
            raise ValueError(f"erasing must be a probability from 0 to 1, not {self.erasing!r}")
        if self.flip and self.alternating_flip:
            raise ValueError("flip and alternating_flip exclude each other; choose one of them")
