"""The configuration of a ResNet, frozen and checked when it is made. Imports no torch."""

import dataclasses
import difflib
from typing import Final, Literal, get_args

BlockType = Literal["basic", "bottleneck", "preact_basic", "preact_bottleneck"]
Stem = Literal["imagenet", "deep", "cifar"]
Shortcut = Literal["projection", "padding", "padding_both", "avgpool", "none"]
Family = Literal["resnet", "preact", "resnext", "wide", "resnetd", "plain", "cifar", "cifar_he"]
SMALL_IMAGE: Final = 64
"""Up to this many pixels a side, a stem that halves the image twice loses too much of it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ResNetConfig:
    """The architecture of a residual network, from the stem to the classifier.

    Raises:
        ValueError: A field has an invalid value; the message names the field and its choices.
    """

    block: BlockType = "bottleneck"
    """``basic`` and ``bottleneck`` (He 2015, stride on the 3x3) and their pre-activation twins (He 2016)."""
    depths: tuple[int, ...] = (3, 4, 6, 3)
    """Blocks of each stage. Every stage but the first halves the resolution."""
    widths: tuple[int, ...] = (64, 128, 256, 512)
    """Planes of each stage; a stage puts out that many channels, four times as many with bottlenecks."""
    groups: int = 1
    """Groups of a bottleneck's 3x3 convolution: the cardinality of ResNeXt (Xie 2017)."""
    width_per_group: int = 64
    """Channels of one group in a bottleneck's 3x3 where a stage has 64 planes, as torchvision has it."""
    stem: Stem = "imagenet"
    """``imagenet``: 7x7 stride 2, max-pool; ``deep``: three 3x3, max-pool (ResNet-D, He 2018);
    ``cifar``: one 3x3 at full resolution, no max-pool."""
    stem_width: int = 64
    """Channels that the stem puts out."""
    shortcut: Shortcut = "projection"
    """Shortcut between blocks of different shape. ``projection``: 1x1 convolution, He 2015's option B; ``padding``:
    subsampling and zero channels behind, no parameters, his option A as he released it; ``padding_both``: option A
    with half of the zero channels in front, as in Akamaster's networks for CIFAR, whose weights need it;
    ``avgpool``: average pool, then 1x1, ResNet-D; ``none``: no shortcut at all, even between like shapes, a plain
    network."""
    num_classes: int = 1000
    """Outputs of the classifier; 0 leaves it out and gives pooled features."""
    in_channels: int = 3
    """Channels of the images: 3 for colour, 1 for grey, 4 or more for other sensors."""

    def __post_init__(self) -> None:
        _check_word("block", self.block, get_args(BlockType))
        _check_word("stem", self.stem, get_args(Stem))
        _check_word("shortcut", self.shortcut, get_args(Shortcut))
        for name in ("depths", "widths"):
            _check_stages(name, getattr(self, name))
        for name, least in (
            ("groups", 1),
            ("width_per_group", 1),
            ("stem_width", 1),
            ("num_classes", 0),
            ("in_channels", 1),
        ):
            _check_integer(name, getattr(self, name), least)
        if len(self.depths) != len(self.widths):
            raise ValueError(f"depths has {len(self.depths)} stages but widths has {len(self.widths)}; give as many")
        self._check_combination()

    def _check_combination(self) -> None:
        if not self.bottleneck and (self.groups, self.width_per_group) != (1, 64):
            raise ValueError(
                f"groups={self.groups}, width_per_group={self.width_per_group} need block 'bottleneck' or "
                f"'preact_bottleneck'; {self.block!r} has groups=1, width_per_group=64; widen it by widths"
            )
        if self.bottleneck and self.inner_width(min(self.widths)) == 0:
            raise ValueError(
                f"width_per_group={self.width_per_group} leaves no channel at widths={self.widths}; "
                f"choose at least {-(-64 // min(self.widths))}"
            )
        if self.stem == "deep" and self.stem_width % 2:
            raise ValueError(
                f"stem_width={self.stem_width} must be even with stem 'deep', which begins with half of it"
            )
        if self.shortcut == "none" and self.preact:
            raise ValueError(
                f"shortcut 'none' needs block 'basic' or 'bottleneck', not {self.block!r}: "
                "pre-activation is there to clear the shortcut (choices: projection, padding, padding_both, avgpool)"
            )
        channels = (self.stem_width, *(self.out_channels(planes) for planes in self.widths))
        if self.shortcut.startswith("padding") and list(channels) != sorted(channels):
            raise ValueError(
                f"shortcut {self.shortcut!r} can only add channels, but they go {channels}; "
                "make widths grow, or choose shortcut 'projection'"
            )

    @property
    def bottleneck(self) -> bool:
        """Whether blocks are bottlenecks (1x1, 3x3, 1x1) rather than basic (3x3, 3x3)."""
        return self.block.endswith("bottleneck")

    @property
    def preact(self) -> bool:
        """Whether normalisation and activation come before each convolution."""
        return self.block.startswith("preact")

    def out_channels(self, planes: int) -> int:
        """Return the channels that a block of `planes` puts out."""
        return planes * 4 if self.bottleneck else planes

    def inner_width(self, planes: int) -> int:
        """Return the channels of the 3x3 convolution in a bottleneck of `planes`."""
        return planes * self.width_per_group // 64 * self.groups

    @property
    def num_features(self) -> int:
        """Channels of the last stage, which the classifier sees."""
        return self.out_channels(self.widths[-1])

    @property
    def family(self) -> Family:
        """The family, by the first rule below that fits the fields.

        ``cifar`` is an ImageNet network with a stem for 32x32 images, ``cifar_he`` one of He 2015's 6n + 2 layers.
        """
        if self.shortcut == "none":
            return "plain"
        if self.stem == "deep" or self.shortcut == "avgpool":
            return "resnetd"
        if self.groups > 1:
            return "resnext"
        if self.width_per_group > 64 or self.widths[0] > self.stem_width:
            return "wide"
        if self.preact:
            return "preact"
        cifar: Family = "cifar_he" if self.widths == (16, 32, 64) else "cifar"
        return cifar if self.stem == "cifar" else "resnet"

    @property
    def depth(self) -> int:
        """Layers with weights as the network's paper counts them, such as 18, 34 or 50."""
        layers = sum(self.depths) * (3 if self.bottleneck else 2)
        if self.family == "wide" and self.stem == "cifar":
            # Zagoruyko 2016 counts convolutions only, so no classifier, but each stage's projection: 6n + 4.
            return layers + 1 + len(self.depths)
        return layers + 2

    @property
    def strides(self) -> tuple[int, ...]:
        """Pixels of the input to one of each stage's output: 4, 8, 16, 32 with an ImageNet stem."""
        first = 1 if self.stem == "cifar" else 4
        return tuple(first * 2**stage for stage in range(len(self.depths)))

    @property
    def image_size(self) -> int:
        """Height and width, in pixels, of the images that the network is meant for: 224, or 32 for CIFAR."""
        return 32 if self.stem == "cifar" else 224

    @property
    def minimum_image_size(self) -> int:
        """Least height and width in pixels: the last stride, below which the stages only see padding."""
        return self.strides[-1]


def _check_word(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"unknown {name} {value!r}{near(value, choices)} (choices: {', '.join(choices)})")


def _check_integer(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, not {value!r}")


def _check_stages(name: str, value: object) -> None:
    if not isinstance(value, tuple) or not value:
        raise ValueError(f"{name} must be a tuple with an integer for each stage, not {value!r}")
    for stage, number in enumerate(value):
        _check_integer(f"{name}[{stage}]", number, 1)


def near(word: object, choices: tuple[str, ...]) -> str:
    """Return ``"; did you mean 'resnet50'?"`` for the nearest of `choices`, or ``""`` where none is near."""
    # results.errors has its twin: resnet knows no other room.
    matches = difflib.get_close_matches(str(word), choices, n=1, cutoff=0.6)
    return f"; did you mean {matches[0]!r}?" if matches else ""
