"""A walk: one attempt of an execution to get through its states, with the task tokens that die with it.

Repairs of the emulator's Step Functions, see state_machines.py. Each function takes what the emulator has and gives what stands in its place.
"""

import contextvars
import json
import threading
import time

import state_machine_paths as paths

POLL_SECONDS = 0.02
LONGEST_TASK_SECONDS = 99999999

# The walk that goes on in this thread: threads of branches, items and time limits inherit it.
walk_here = contextvars.ContextVar("walk_here", default=None)
# By execution, those that go on or were the last.
walks = {}
closed_tokens = set()
# Held by whoever ends an execution or answers a token, so that only one does.
ending = threading.Lock()


class Walk:
    """One attempt of an execution, or within it one attempt of a Map or Parallel state: when it ends nothing in it goes on."""

    def __init__(self, sfn, parent=None):
        self.sfn, self.parent = sfn, parent
        self.first_error = None
        self.ended = False
        self.tokens = set()

    def has_ended(self):
        return self.ended or (self.parent is not None and self.parent.has_ended())

    def check(self):
        if self.has_ended():
            # An error without a name: no Retry and no Catch matches it.
            raise self.sfn._ExecutionError(None, "the walk has ended")

    def sleep(self, seconds):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, POLL_SECONDS))

    def root(self):
        return self if self.parent is None else self.parent.root()

    def end(self):
        self.ended = True
        for token in list(self.tokens):
            close_token(self.sfn, token)


def close_token(sfn, token):
    with ending:
        sfn._task_tokens.pop(token, None)
        closed_tokens.add(token)


def invoke_with_callback(sfn):
    """The time limit counts from the call on, the heartbeat from its last sign; a call that fails fails the task.

    The emulator knows no heartbeat, forgets what a function answers with an error, and waits on when the execution was stopped.
    """

    def invoke(resource, data, token, state):
        walk = walk_here.get()
        begin = time.monotonic()
        limit = state.get("TimeoutSeconds", LONGEST_TASK_SECONDS)
        entry = {"event": threading.Event(), "result": None, "error": None, "heartbeat": None, "beat": begin}
        walk.root().tokens.add(token)
        sfn._task_tokens[token] = entry
        try:
            sfn._invoke_resource_with_timeout(resource.replace(".waitForTaskToken", ""), data, limit)
            while not entry["event"].wait(POLL_SECONDS):
                walk.check()
                if time.monotonic() - begin > limit:
                    raise sfn._ExecutionError("States.Timeout", "")
                if time.monotonic() - entry["beat"] > state.get("HeartbeatSeconds", LONGEST_TASK_SECONDS):
                    raise sfn._ExecutionError("States.HeartbeatTimeout", "")
        finally:
            close_token(sfn, token)
        if entry["error"]:
            raise sfn._ExecutionError(entry["error"]["Error"], entry["error"]["Cause"])
        return paths.limited(sfn, json.loads(entry["result"]), "output")

    return invoke


def answer_token(sfn, answer):
    """A token takes one answer, and none after its task has ended (TaskTimedOut); one that never was is InvalidToken.

    The emulator takes a second answer in the place of the first, and says TaskDoesNotExist to the rest.
    """

    def answer_once(data):
        token = data.get("taskToken")
        if "output" in data:
            try:
                json.loads(data["output"])
            except ValueError:
                return sfn.error_response_json("InvalidOutput", f"Invalid Output: '{data['output']}'", 400)
        with ending:
            entry = sfn._task_tokens.get(token)
            if token in closed_tokens or (entry and entry["event"].is_set()):
                return sfn.error_response_json("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'", 400)
            if entry is None:
                return sfn.error_response_json("InvalidToken", "Invalid Token: 'Invalid token'", 400)
            entry["beat"] = time.monotonic()
            return answer(data)

    return answer_once


def scaled_sleep(sfn):
    """A wait ends with its walk."""

    def sleep(seconds):
        (walk_here.get() or Walk(sfn)).sleep(seconds * sfn._SFN_WAIT_SCALE)

    return sleep
