from results.schema.lines.static import static_key


def test_a_case_and_its_static_cost_have_the_same_key(make_case, make_static):
    images = {"image_size": "224x160", "in_channels": 1, "head": "none"}
    assert static_key(make_case(**images)) == static_key(make_static(**images)) == ("resnet50", "224x160", 1, "none")
    assert static_key(make_case()) == static_key(make_static()) == ("resnet50", 224, 3, "classifier")
