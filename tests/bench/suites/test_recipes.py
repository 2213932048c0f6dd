from bench.suites.recipes import recipe_rows
from resnet.training import load_recipe, recipe_names


def test_a_row_says_what_the_recipe_says():
    rows = {name: rest for name, *rest in recipe_rows()}
    assert set(rows) == set(recipe_names())
    for name, (epochs, published, description) in rows.items():
        recipe = load_recipe(name)
        assert epochs == str(recipe.epochs)
        assert description == recipe.description
        assert bool(published) == (recipe.expected_accuracy is not None)
    assert rows["he2015-cifar"][1] == "91.25%, cifar_resnet20 on cifar10"
