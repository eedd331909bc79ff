"""Runs commands in turn, round after round, as pipe(8) starts its child, and measures each by wait4(2).

Takes {"rounds", "warmup", "commands": [{"argv", "input", "prepare", "items", "environment"}]} as JSON on standard
input. In argv and prepare %N is a number of this run and %I the next of items. Gives, for each command, a list of
[wall seconds, processor seconds, peak kilobytes]. Node tells nothing of the processor time of its children.
"""
import json
import os
import sys
import tempfile
import time

PLAIN = {"PATH": "/usr/bin:/bin", "LANG": "C"}
number = time.time_ns() // 1000


def fill(argv, item):
    return [word.replace("%N", str(number)).replace("%I", item) for word in argv]


def run(command, item, output):
    """One run. Its standard input is a pipe, as pipe(8) has it; bare Node does not read it."""
    global number
    number += 1
    argv = fill(command["argv"], item)
    if command.get("prepare"):
        prepare = fill(command["prepare"], item)
        pid = os.posix_spawnp(prepare[0], prepare, PLAIN)
        if os.waitpid(pid, 0)[1] != 0:
            raise SystemExit(f"{prepare} failed")
    with open(command["input"], "rb") as file:
        content = file.read()
    reader, writer = os.pipe()
    os.set_inheritable(writer, False)
    os.truncate(output, 0)
    os.lseek(output, 0, os.SEEK_SET)
    actions = [(os.POSIX_SPAWN_DUP2, reader, 0), (os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, output, 2)]
    began = time.perf_counter()
    pid = os.posix_spawnp(argv[0], argv, {**PLAIN, **command.get("environment", {})}, file_actions=actions)
    os.close(reader)
    try:
        while content:
            content = content[os.write(writer, content):]
    except BrokenPipeError:
        pass
    os.close(writer)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - began
    if status != 0:
        os.lseek(output, 0, os.SEEK_SET)
        said = os.read(output, 400).decode("utf8", "replace")
        raise SystemExit(f"{' '.join(argv)[:300]} ended with {os.waitstatus_to_exitcode(status)}: {said}")
    return [wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]


def main():
    given = json.load(sys.stdin)
    commands = given["commands"]
    items = [iter(command.get("items", [])) for command in commands]
    results = [[] for _ in commands]
    with tempfile.TemporaryFile() as file:
        for turn in range(-given["warmup"], given["rounds"]):
            for step in range(len(commands)):
                # Not always after the same one.
                index = (step + turn) % len(commands)
                result = run(commands[index], next(items[index], ""), file.fileno())
                if turn >= 0:
                    results[index].append(result)
    json.dump(results, sys.stdout)


main()
