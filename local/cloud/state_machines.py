"""Step Functions as on AWS where a state machine can tell the difference, as repairs of the emulator that emulator.py starts.

Here is how an execution walks through its states: it can be stopped, timed out and redriven, and its task tokens die with it.
What its states may read and write is in state_machine_paths.py, its rights in state_machine_roles.py.
Only what JSONPath state machines use was looked at.
"""

import contextvars
import json
import threading
import time

import state_machine_paths as paths
import state_machine_roles as roles

POLL_SECONDS = 0.02
LONGEST_TASK_SECONDS = 99999999

# The walk that goes on in this thread: threads of branches, items and time limits inherit it.
walk_here = contextvars.ContextVar("walk_here", default=None)
# By execution, those that go on or were the last.
walks = {}
closed_tokens = set()
token_lock = threading.Lock()


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
    with token_lock:
        sfn._task_tokens.pop(token, None)
        closed_tokens.add(token)


# ── Walking ────────────────────────────────────────────────────────────────


def run_execution(sfn):
    """Walks from the execution's place on, so that it can be redriven; by the definition and the role that it was started with.

    A machine's TimeoutSeconds end it as TIMED_OUT, where the emulator lets it run. The context object has what AWS has in it.
    """

    def run(arn):
        execution = sfn._executions.get(arn)
        machine = sfn._state_machines.get(execution["stateMachineArn"])
        execution.setdefault("definition", machine["definition"])
        execution.setdefault("roleArn", machine["roleArn"])
        definition = json.loads(execution["definition"])
        execution.setdefault("place", {"name": definition["StartAt"], "input": json.loads(execution["input"])})
        walk = walks[arn] = Walk(sfn)
        tokens = [(variable, variable.set(value)) for variable, value in ((walk_here, walk), (roles.execution_here, execution))]
        timer = limit_time(sfn, execution, walk, definition)
        try:
            finish(sfn, execution, walk_from_place(sfn, execution, walk, definition, context_of(execution, machine, definition)))
        except sfn._ExecutionError as error:
            if not walk.has_ended():
                sfn._fail_execution(execution, error.error, error.cause)
        except Exception as error:
            sfn.logger.exception("execution %s", arn)
            sfn._fail_execution(execution, "States.Runtime", str(error))
        finally:
            timer.cancel()
            for variable, token in tokens:
                variable.reset(token)

    return run


def context_of(execution, machine, definition):
    redrive = {"RedriveTime": execution["redriveDate"]} if execution.get("redriveDate") else {}
    return {
        "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
        "Execution": {
            "Id": execution["executionArn"],
            "Input": json.loads(execution["input"]),
            "Name": execution["name"],
            "RoleArn": execution["roleArn"],
            "StartTime": execution["startDate"],
            "RedriveCount": execution.get("redriveCount", 0),
            **redrive,
        },
        "StateMachine": {"Id": execution["stateMachineArn"], "Name": machine["name"]},
        "variables": {},
    }


def walk_from_place(sfn, execution, walk, definition, ctx):
    place = execution["place"]
    while place["name"]:
        walk.check()
        name, given = place["name"], place["input"]
        state = definition["States"].get(name)
        if state is None:
            raise sfn._ExecutionError("States.Runtime", f"State '{name}' not found in definition")
        ctx["State"] = {"Name": name, "EnteredTime": sfn.now_iso(), "RetryCount": 0}
        entered = {"stateEnteredEventDetails": {"name": name, "input": json.dumps(given)}}
        sfn._add_event(execution, f"{state['Type']}StateEntered", entered)
        output, following = run_state(sfn, state, given, execution, ctx)
        walk.check()
        exited = {"stateExitedEventDetails": {"name": name, "output": json.dumps(output)}}
        sfn._add_event(execution, f"{state['Type']}StateExited", exited)
        place = execution["place"] = {"name": following, "input": output}
    return place["input"]


def run_state(sfn, state, given, execution, ctx):
    paths.context_object.set(ctx)
    kind = state["Type"]
    if kind == "Succeed":
        return sfn._apply_output_path(state, sfn._apply_input_path(state, given, ctx), ctx), None
    if kind == "Fail":
        raise sfn._ExecutionError(*sfn._fail_state_error(state, given, ctx))
    execute = getattr(sfn, f"_execute_{kind.lower()}")
    return execute(state, given, execution, ctx) if kind in ("Task", "Parallel", "Map") else execute(state, given, ctx)


def run_sub_machine(sfn):
    """A branch or an item ends with its execution, and at the first failure beside it, where the emulator lets it go on.

    Each has a context object of its own: the emulator's branches overwrite each other's.
    """

    def run(states, start_at, given, execution, ctx):
        walk = walk_here.get()
        ctx = dict(ctx)
        name = start_at
        try:
            while name:
                walk.check()
                ctx["State"] = {"Name": name, "EnteredTime": sfn.now_iso(), "RetryCount": 0}
                given, name = run_state(sfn, states[name], given, execution, ctx)
            return given
        except sfn._ExecutionError as error:
            if not walk.has_ended():
                walk.first_error = error
                walk.ended = True
            raise

    return run


def with_retry_and_catch(sfn, run):
    """A Map or Parallel state fails with its first failure, and what else goes on in it is given up.

    The emulator goes through to the end of all and takes the error of the first in order. A call that is under way is still waited for here.
    """

    def run_in_walk(state, given, ctx, attempt):
        def attempt_in_walk():
            walk = Walk(sfn, walk_here.get())
            token = walk_here.set(walk)
            try:
                return attempt()
            except sfn._ExecutionError as error:
                raise walk.first_error or error from None
            finally:
                walk_here.reset(token)
                paths.context_object.set(ctx)

        return run(state, given, ctx, attempt_in_walk)

    return run_in_walk


def finish(sfn, execution, output):
    with token_lock:
        if execution["status"] != "RUNNING":
            return
        execution.update(status="SUCCEEDED", output=json.dumps(output), stopDate=sfn.now_iso())
    sfn._add_event(execution, "ExecutionSucceeded", {"executionSucceededEventDetails": {"output": execution["output"]}})
    sfn._emit_execution_status_event(execution)


# ── Single states ──────────────────────────────────────────────────────────


def limited_state(sfn, execute):
    """What a state gives on is judged by its size; the walk may have ended meanwhile."""

    def run(state, given, *args):
        output, following = execute(state, given, *args)
        return paths.limited(sfn, output, "output"), following

    return run


def task(sfn, execute):
    """TimeoutSecondsPath and HeartbeatSecondsPath are read from the input; the emulator knows neither."""

    def run(state, given, execution, ctx):
        ctx.pop("Task", None)
        seconds = {}
        for field in ("TimeoutSeconds", "HeartbeatSeconds"):
            path = state.get(f"{field}Path")
            if path is not None:
                seconds[field] = number_at(sfn, f"{field}Path", path, given, ctx)
        return execute({**state, **seconds}, given, execution, ctx)

    return run


def wait(sfn, execute):
    """SecondsPath must give a number and TimestampPath a time: States.Runtime else, where the emulator does not wait at all."""

    def run(state, given, ctx=None):
        effective = sfn._apply_input_path(state, given, ctx)
        if "SecondsPath" in state:
            number_at(sfn, "SecondsPath", state["SecondsPath"], effective, ctx)
        if "TimestampPath" in state and not sfn._is_timestamp(sfn._resolve_path_or_ctx(state["TimestampPath"], effective, ctx)):
            raise sfn._ExecutionError("States.Runtime", f"The TimestampPath '{state['TimestampPath']}' must give a timestamp")
        return execute(state, given, ctx)

    return run


def number_at(sfn, field, path, data, ctx):
    value = sfn._resolve_path_or_ctx(path, data, ctx)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise sfn._ExecutionError("States.Runtime", f"The {field} '{path}' must give a whole number of seconds, not {json.dumps(value)}")
    return value


def map_items(sfn, run):
    """ItemsPath must give a list: States.Runtime else, where the emulator makes a list of one."""

    def run_items(state, given, execution, ctx):
        path = state.get("ItemsPath", "$")
        if "ItemReader" not in state and "Items" not in state:
            if not isinstance(sfn._resolve_path_or_ctx(path, sfn._apply_input_path(state, given, ctx), ctx), list):
                raise sfn._ExecutionError("States.Runtime", f"Reference path \"{path}\" must point to array.")
        return run(state, given, execution, ctx)

    return run_items


# ── Task tokens ────────────────────────────────────────────────────────────


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
        with token_lock:
            entry = sfn._task_tokens.get(token)
            if token in closed_tokens or (entry and entry["event"].is_set()):
                return sfn.error_response_json("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'", 400)
            if entry is None:
                return sfn.error_response_json("InvalidToken", "Invalid Token: 'Invalid token'", 400)
            entry["beat"] = time.monotonic()
            return answer(data)

    return answer_once


# ── Ends, and what comes after them ────────────────────────────────────────


def limit_time(sfn, execution, walk, definition):
    def time_out():
        with token_lock:
            if execution["status"] != "RUNNING" or walk.ended:
                return
            execution.update(status="TIMED_OUT", error="States.Timeout", cause=None, stopDate=sfn.now_iso())
        walk.end()
        sfn._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {"error": "States.Timeout"}})
        sfn._emit_execution_status_event(execution)

    seconds = definition.get("TimeoutSeconds", threading.TIMEOUT_MAX)
    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), contextvars.copy_context().run, args=(time_out,))
    timer.daemon = True
    timer.start()
    return timer


def fail_execution(sfn, fail):
    """An execution that was stopped or timed out stays so, where the emulator lets it fail afterwards."""

    def fail_if_running(execution, error, cause):
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)
            # On AWS only an execution that succeeded has an output.
            execution["output"] = None
            walks[execution["executionArn"]].end()

    return fail_if_running


def add_event(sfn, add):
    """Nothing is added to the history of an execution that has ended."""

    def add_while_running(execution, kind, details=None):
        return add(execution, kind, details) if execution["status"] == "RUNNING" or kind.startswith("Execution") else None

    return add_while_running


def stop_execution(sfn, stop):
    """StopExecution ends the walk at its next state, waits and task tokens at once; the emulator's goes on to the end."""

    def stop_walk(data):
        with token_lock:
            response = stop(data)
        walk = walks.get(data.get("executionArn"))
        if response[0] == 200 and walk:
            walk.end()
        return response

    return stop_walk


def redrive_execution(sfn):
    """An execution that failed, timed out or was stopped goes on from the state that it was in, with that state's input.

    The emulator knows no redrive. On AWS a Map or Parallel state goes on with the items that did not succeed: here it begins anew, with all.
    The state is in the history as entered once more. Time limits and retries count from the beginning, as on AWS.
    https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
    """

    def redrive(data):
        arn = data.get("executionArn")
        before = sfn._executions.get(arn)
        if before is None:
            return sfn.error_response_json("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'", 400)
        reason = not_redrivable(before)
        if reason:
            return sfn.error_response_json("ExecutionNotRedrivable", reason, 400)
        # A copy: what may still be under way of the last attempt keeps the one that has ended.
        now = sfn.now_iso()
        count = before.get("redriveCount", 0) + 1
        execution = {**before, "status": "RUNNING", "stopDate": None, "redriveCount": count, "redriveDate": now, "events": list(before["events"])}
        execution.update(error=None, cause=None, output=None)
        sfn._executions[arn] = execution
        sfn._add_event(execution, "ExecutionRedriven", {"executionRedrivenEventDetails": {"redriveCount": count}})
        sfn._emit_execution_status_event(execution)
        threading.Thread(target=contextvars.copy_context().run, args=(sfn._run_execution, arn), daemon=True).start()
        return sfn.json_response({"redriveDate": now})

    return redrive


def not_redrivable(execution):
    status = execution["status"]
    return f"Execution is {status} and cannot be redriven" if status in ("RUNNING", "SUCCEEDED") else None


def describe_execution(sfn, describe):
    """Tells how often an execution was redriven, and whether it can be."""

    def describe_with_redrives(data):
        response = describe(data)
        if response[0] != 200:
            return response
        execution = sfn._executions[data["executionArn"]]
        reason = not_redrivable(execution)
        told = {"redriveCount": execution.get("redriveCount", 0), "redriveStatus": "NOT_REDRIVABLE" if reason else "REDRIVABLE"}
        if reason:
            told["redriveStatusReason"] = reason
        if execution.get("redriveDate"):
            told["redriveDate"] = execution["redriveDate"]
        return sfn.json_response({**json.loads(response[2]), **told})

    return describe_with_redrives


def scaled_sleep(sfn):
    """A wait ends with its walk."""

    def sleep(seconds):
        (walk_here.get() or Walk(sfn)).sleep(seconds * sfn._SFN_WAIT_SCALE)

    return sleep


def repair():
    """Puts all of the above in the place of what the emulator has."""
    from ministack.services import stepfunctions as sfn

    for name in ("pass", "choice", "parallel"):
        setattr(sfn, f"_execute_{name}", limited_state(sfn, getattr(sfn, f"_execute_{name}")))
    sfn._execute_task = limited_state(sfn, task(sfn, sfn._execute_task))
    sfn._execute_wait = wait(sfn, sfn._execute_wait)
    sfn._execute_map = limited_state(sfn, sfn._execute_map)
    sfn._run_map_items = map_items(sfn, sfn._run_map_items)
    sfn._with_retry_and_catch = with_retry_and_catch(sfn, sfn._with_retry_and_catch)
    sfn._run_sub_machine = run_sub_machine(sfn)
    sfn._run_execution = run_execution(sfn)
    sfn._scaled_sleep = scaled_sleep(sfn)
    sfn._invoke_with_callback = invoke_with_callback(sfn)
    invoke = sfn._invoke_resource
    sfn._invoke_resource = lambda resource, data: paths.limited(sfn, invoke(resource, data), "output")
    sfn._send_task_success = answer_token(sfn, sfn._send_task_success)
    sfn._send_task_failure = answer_token(sfn, sfn._send_task_failure)
    sfn._send_task_heartbeat = answer_token(sfn, sfn._send_task_heartbeat)
    sfn._fail_execution = fail_execution(sfn, sfn._fail_execution)
    sfn._add_event = add_event(sfn, sfn._add_event)
    sfn._stop_execution = stop_execution(sfn, sfn._stop_execution)
    sfn._describe_execution = describe_execution(sfn, sfn._describe_execution)
    sfn._resolve_path = paths.strict_paths(sfn)
    sfn._resolve_params_obj = paths.payload_templates(sfn)
    sfn._apply_parameters = paths.parameters(sfn)
    sfn._apply_result_path_raw = paths.result_path(sfn)
    sfn._evaluate_rule = paths.choice_rules(sfn, sfn._evaluate_rule)
    sfn._error_matches = paths.error_matches(sfn, sfn._error_matches)
    sfn._call_lambda = roles.call_lambda(sfn, sfn._call_lambda)
    sfn._SERVICE_DISPATCH["arn:aws:states:::sns:publish"] = roles.publish(sfn, sfn._invoke_sns_publish)
    add_redrive(sfn)


def add_redrive(sfn):
    handle, redrive = sfn.handle_request, redrive_execution(sfn)

    async def handle_request(method, path, headers, body, query_params):
        if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            return sfn._finalize_response(redrive(json.loads(body or b"{}")))
        return await handle(method, path, headers, body, query_params)

    sfn.handle_request = handle_request
