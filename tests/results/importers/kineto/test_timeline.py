from hypothesis import given
from hypothesis import strategies as st

from results.importers.kineto.timeline import Claim, Gap, owned

CLAIMS = st.lists(
    st.builds(
        lambda start, length, rank: Claim(start, start + length, (rank,)),
        st.integers(-5, 30),
        st.integers(0, 20),
        st.integers(0, 2),
    ),
    max_size=12,
)


def by_moments(claims, start, end):
    """The owners of each moment, asked one by one."""
    own, idle = [0] * len(claims), 0
    for moment in range(start, end):
        active = [index for index, claim in enumerate(claims) if claim.start <= moment < claim.end]
        if active:
            own[min(active, key=lambda index: (claims[index].rank, index))] += 1
        else:
            idle += 1
    return own, idle


@given(CLAIMS)
def test_every_moment_has_a_single_owner_or_is_a_gap(claims):
    own, gaps = owned(claims, 0, 40)
    assert (own, sum(gap.end - gap.start for gap in gaps)) == by_moments(claims, 0, 40)


def test_a_gap_knows_what_ends_it():
    claims = [Claim(5, 10, (0,)), Claim(20, 25, (0,))]
    assert owned(claims, 0, 30) == ([5, 5], [Gap(0, 5, 0), Gap(10, 20, 1), Gap(25, 30, None)])
