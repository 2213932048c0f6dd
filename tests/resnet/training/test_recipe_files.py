import pytest

from resnet import VARIANTS
from resnet.data import SETS
from resnet.training import load_recipe, parse_recipe, recipe_names, recipe_warnings
from resnet.training.recipe import EarlyStopping

LEAST = "epochs = 3\nlearning_rate = 0.1\n"


@pytest.mark.parametrize("name", recipe_names())
def test_a_built_in_recipe_is_sound(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.description
    config = VARIANTS[recipe.model or "cifar_resnet20"]
    assert recipe_warnings(recipe, config, config.image_size) == ()
    assert recipe.expected_data is None or recipe.expected_data in SETS


def test_the_promised_recipes_are_there():
    promised = {"he2015-cifar", "cifar10-tutorial", "imagenet-90", "resnet50-cifar10-multistep", "fast"}
    assert promised <= set(recipe_names())


def test_a_file_is_a_recipe_with_its_name(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(LEAST + "[early_stopping]\npatience = 4\n")
    recipe = load_recipe(path)
    assert (recipe.name, recipe.epochs) == ("mine", 3)
    assert recipe.early_stopping == EarlyStopping(patience=4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epochs = ", "not TOML"),
        ("a." * 5000 + "b = 1", "not TOML|unknown field"),
        ("epochs = 3", "the recipe lacks learning_rate"),
        (LEAST + "learning_rat = 1", "unknown field 'learning_rat' of the recipe; did you mean 'learning_rate'"),
        (LEAST + "augmentation = 3", "table augmentation must be a table"),
        (LEAST + "[augmentation]\nflop = true", "did you mean 'flip'"),
        (LEAST + "[augmentation]\nflip = 1", "flip must be true or false"),
        (LEAST + "[augmentation]\nerasing = 'much'", "erasing must be a probability"),
        (LEAST + "[early_stopping]\npatience = 0", "patience must be"),
        (LEAST + "momentum = [1]", "momentum must be a number"),
    ],
)
def test_a_bad_text_is_refused_in_a_line(text, words):
    with pytest.raises(ValueError, match=words) as raised:
        parse_recipe(text, name="mine")
    assert "\n" not in str(raised.value)


def test_a_name_is_needed():
    with pytest.raises(ValueError, match="lacks name"):
        parse_recipe(LEAST)


def test_what_is_no_recipe_is_refused_with_its_path(tmp_path):
    with pytest.raises(ValueError, match="unknown recipe 'fsat'; did you mean 'fast'"):
        load_recipe("fsat")
    with pytest.raises(ValueError, match="No such file"):
        load_recipe(tmp_path / "none.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(ValueError, match="not a file"):
        load_recipe(tmp_path / "folder.toml")
    big = tmp_path / "big.toml"
    big.write_text("#" * 200_000)
    with pytest.raises(ValueError, match="larger than any recipe"):
        load_recipe(big)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"binary\.toml"):
        load_recipe(binary)
