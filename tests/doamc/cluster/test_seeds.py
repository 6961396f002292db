"""Seeds of tasks."""

from doamc.cluster.seeds import seed_of


def test_a_seed_is_of_the_input_the_batch_and_the_users_seed_and_fits_torch():
    seeds = {(s, d, n): seed_of(s, d, n) for s in (0, 1) for d in ("a", "b") for n in (0, 256, 512)}
    assert len(set(seeds.values())) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds.values())
    assert seed_of(0, "a", 256) == 5918611853238791454  # part of the definition of results: it never changes
