from workers.exchange.memory import Memory


def test_a_fact_is_kept_for_its_lifetime() -> None:
    now = 0.0
    memory: Memory[str, int] = Memory(10, lifetime=5, clock=lambda: now)
    memory.put("a", 1)
    now = 4.9
    assert memory.get("a") == 1
    now = 5.0
    assert memory.get("a") is None


def test_the_oldest_is_forgotten_when_there_are_too_many() -> None:
    memory: Memory[str, int] = Memory(2)
    for number, key in enumerate("abac"):
        memory.put(key, number)
    assert [memory.get(key) for key in "abc"] == [2, None, 3]


def test_what_was_never_learnt_is_none() -> None:
    assert Memory[str, int](1).get("a") is None
