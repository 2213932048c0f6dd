import pytest
from msgspec import structs

from bench.process import sustained
from bench.process.sustained import before_sustained_use, energy_meter
from results.schema.lines.run import Settings

SETTINGS = Settings(replicates=1, target=0.01, budget_s=5, timeout_s=60, time_limit_s=None)


def test_until_it_is_measured_the_reason_is_that_nobody_asked_or_that_it_comes_last():
    assert set(before_sustained_use(SETTINGS).nulls.values()) == {"not asked for"}
    asked = structs.replace(SETTINGS, sustained_s=30.0)
    assert set(before_sustained_use(asked).nulls.values()) == {"measured in the last replicate"}


@pytest.mark.parametrize(("device", "reason"), [("cpu", "the CPU's"), ("cuda:0", "the card's, of aa")])
def test_the_counter_is_that_of_the_device(make_case, monkeypatch, device, reason):
    monkeypatch.setattr(sustained, "cpu_counters", lambda: "the CPU's")
    monkeypatch.setattr(sustained, "card_counters", lambda identity: f"the card's, of {identity}")
    assert energy_meter(make_case(device=device), "aa").reason == reason
