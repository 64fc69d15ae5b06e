import os
import subprocess
import sys
import time

from tests.benchmarks import cpu

BUSY = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
PARENT = (
    f"import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', {BUSY!r}])\nprint(flush=True)\ntime.sleep(60)"
)


def test_a_process_name_may_hold_anything() -> None:
    fields = cpu.fields_of("42 (a) b ( S 9) S 1 42 42 0 -1 0 0 0 0 0 7 8 9 10 20")
    assert fields[cpu.SESSION] == "42" and [fields[at] for at in range(cpu.USER, cpu.CHILDREN_SYSTEM + 1)] == [
        "7", "8", "9", "10",
    ]  # fmt: skip


def test_what_children_used_counts_after_their_end() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, start_new_session=True) as popen:
        assert popen.stdout is not None
        popen.stdout.readline()
        used = cpu.seconds(popen.pid)
        popen.kill()
    assert used >= 0.28


def test_a_session_that_is_over_uses_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], start_new_session=True) as popen:
        pass
    assert cpu.seconds(popen.pid) == 0 and cpu.seconds(os.getsid(0)) >= 0 and time.process_time() > 0
