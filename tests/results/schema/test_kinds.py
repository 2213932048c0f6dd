import pytest

from results.schema.kinds import KINDS, Unknown, kind_of
from results.schema.lines.record import Noise, Record
from results.schema.types import Stored
from results.schema.validation import InvalidError, from_json


def test_every_kind_refuses_fields_that_it_does_not_have():
    for kind in KINDS.values():
        assert issubclass(kind, Stored)
        assert kind.__struct_config__.forbid_unknown_fields
        assert kind.__struct_config__.frozen


def test_a_body_has_the_kind_of_its_class(make_record, make_static, make_run):
    assert [kind_of(body) for body in (make_run(), make_static(), make_record())] == ["header", "static", "record"]
    assert kind_of(Unknown(kind="profile", body={})) == "profile"


def test_a_part_of_a_record_is_no_kind():
    with pytest.raises(TypeError, match="no kind for Noise"):
        kind_of(Noise())


def test_no_kind_is_read_as_another():
    with pytest.raises(InvalidError):
        from_json(b'{"status":"complete","records":1}', Record)
