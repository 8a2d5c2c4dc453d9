"""Step Functions as repairs of the emulator that emulator.py starts: what makes a state machine fail on AWS must fail here too.

Paths that find nothing, time limits that are read from the state, executions that are stopped, and RedriveExecution.
"""

import asyncio
import contextvars
import json
import threading

# docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
NEVER_CAUGHT = ("States.DataLimitExceeded", "States.Runtime")
# docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
LARGEST_PAYLOAD = 256 * 1024
LONGEST_STATE_SECONDS = 120


def finds(sfn, path, data):
    """Whether a path finds something in the data; with a wildcard it always does, if only an empty list."""
    tokens = sfn._parse_jsonpath_tokens(path) if path != "$" else []
    if tokens is None:
        return False
    for kind, value in tokens:
        if kind == "wildcard":
            return True
        if kind == "field" and isinstance(data, dict) and value in data:
            data = data[value]
        elif kind == "index" and isinstance(data, list) and value < len(data):
            data = data[value]
        else:
            return False
    return True


def fail_paths_that_find_nothing(sfn):
    """A path in Parameters and its kin that finds nothing fails the state with States.ParameterPathFailure; one in a Choice, an InputPath,
    OutputPath or SecondsPath with States.Runtime. The emulator takes null instead."""

    def resolve(path, data, ctx, error):
        target, where = (path[1:], ctx or {}) if path.startswith("$$.") else (path, data)
        if not finds(sfn, target, where):
            raise sfn._ExecutionError(error, f"The path '{path}' could not be found in the input")
        return sfn._resolve_path(target, where)

    def resolve_template(template, data, ctx=None):
        if isinstance(template, list):
            return [resolve_template(each, data, ctx) for each in template]
        if not isinstance(template, dict):
            return template
        result = {}
        for key, value in template.items():
            if not key.endswith(".$") or not isinstance(value, str):
                result[key] = resolve_template(value, data, ctx)
            elif value.startswith("States."):
                result[key[:-2]] = sfn._evaluate_intrinsic(value, data, ctx)
            else:
                result[key[:-2]] = resolve(value, data, ctx, "States.ParameterPathFailure")
        return result

    evaluate = sfn._evaluate_rule

    def evaluate_rule(rule, data, ctx=None):
        variable = rule.get("Variable")
        if variable and "IsPresent" not in rule:
            resolve(variable, data, ctx, "States.Runtime")
        return evaluate(rule, data, ctx)

    def by_path(name):
        def apply(state, data, ctx=None):
            path = state.get(name, "$")
            return {} if path is None else resolve(path, data, ctx, "States.Runtime")

        return apply

    wait = sfn._execute_wait

    def execute_wait(state, raw_input, ctx=None):
        for name in ("SecondsPath", "TimestampPath"):
            if name in state:
                resolve(state[name], raw_input, ctx, "States.Runtime")
        return wait(state, raw_input, ctx)

    sfn._resolve_params_obj = resolve_template
    sfn._evaluate_rule = evaluate_rule
    sfn._apply_input_path = by_path("InputPath")
    sfn._apply_output_path = by_path("OutputPath")
    sfn._execute_wait = execute_wait


def catch_what_aws_catches(sfn):
    """States.ALL catches neither States.Runtime nor States.DataLimitExceeded."""
    matches = sfn._error_matches
    sfn._error_matches = lambda names, error: error not in NEVER_CAUGHT and matches(names, error)


def limit_payloads(sfn):
    """What a state hands on is at most 256 KiB of JSON."""
    apply = sfn._apply_output_path

    def apply_output_path(state, data, ctx=None):
        output = apply(state, data, ctx)
        size = len(json.dumps(output, ensure_ascii=False).encode())
        if size > LARGEST_PAYLOAD:
            raise sfn._ExecutionError("States.DataLimitExceeded", f"The state's output is {size} bytes, and {LARGEST_PAYLOAD} are the most")
        return output

    sfn._apply_output_path = apply_output_path


def read_time_limits_from_the_state(sfn):
    """TimeoutSecondsPath says where in the input of the state its time limit is. The emulator knows TimeoutSeconds only."""
    execute = sfn._execute_task

    def execute_task(state, raw_input, execution, ctx):
        path = state.get("TimeoutSecondsPath")
        if path:
            seconds = sfn._resolve_path(path, raw_input)
            if not isinstance(seconds, int) or seconds <= 0:
                raise sfn._ExecutionError("States.Runtime", f"TimeoutSecondsPath '{path}' is no positive integer")
            state = {**state, "TimeoutSeconds": seconds}
        return execute(state, raw_input, execution, ctx)

    sfn._execute_task = execute_task


def leave_ended_executions_alone(sfn):
    """An execution that was stopped stays ABORTED, whatever its last state still throws, and enters no other state."""
    fail = sfn._fail_execution

    def fail_execution(execution, error, cause):
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    sub_machine = sfn._run_sub_machine

    def run_sub_machine(states, start_at, input_data, execution, ctx):
        if execution["status"] != "RUNNING":
            raise sfn._ExecutionError("States.Runtime", "the execution was stopped")
        return sub_machine(states, start_at, input_data, execution, ctx)

    execute = sfn._execute_task

    def execute_task(state, raw_input, execution, ctx):
        if execution["status"] != "RUNNING":
            raise sfn._ExecutionError("States.Runtime", "the execution was stopped")
        return execute(state, raw_input, execution, ctx)

    sfn._fail_execution = fail_execution
    sfn._run_sub_machine = run_sub_machine
    sfn._execute_task = execute_task


def redrive(sfn):
    """RedriveExecution continues an execution that did not succeed from the state that it had entered last, with the input that that had.

    On AWS only those iterations of a Map run again that had not ended; here all of them do.
    """
    from ministack.core.responses import error_response_json, json_response, now_iso

    def redrive_execution(data):
        execution = sfn._executions.get(data.get("executionArn"))
        if not execution:
            return error_response_json("ExecutionDoesNotExist", "no such execution", 400)
        if execution["status"] not in ("FAILED", "ABORTED", "TIMED_OUT"):
            return error_response_json("ExecutionNotRedrivable", f"Execution is {execution['status']}", 400)
        entered = [event["stateEnteredEventDetails"] for event in execution["events"] if "stateEnteredEventDetails" in event]
        machine = sfn._state_machines[execution["stateMachineArn"]]
        definition = json.loads(machine["definition"])
        last = [each for each in entered if each["name"] in definition["States"]][-1]
        at = now_iso()
        # The walk reads definition and input from where it begins: for it, the machine begins at that state.
        original = (execution["stateMachineArn"], execution["input"])
        shadow = f"{original[0]}:redrive:{len(execution['events'])}"
        sfn._state_machines[shadow] = {**machine, "definition": json.dumps({**definition, "StartAt": last["name"]})}
        execution.update(error=None, cause=None, output=None, stopDate=None, status="RUNNING", stateMachineArn=shadow, input=last["input"], redriveCount=execution.get("redriveCount", 0) + 1)
        sfn._add_event(execution, "ExecutionRedriven", {"executionRedrivenEventDetails": {"redriveCount": execution["redriveCount"]}})

        def run():
            try:
                sfn._run_execution(data["executionArn"])
            finally:
                execution["stateMachineArn"], execution["input"] = original
                sfn._state_machines.pop(shadow, None)

        threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True).start()
        return json_response({"redriveDate": at})

    walk = sfn._run_execution
    walking = {}

    def run_execution(execution_arn):
        ended = walking[execution_arn] = threading.Event()
        try:
            walk(execution_arn)
        finally:
            ended.set()

    def wait_and_redrive(data):
        # One that was stopped is still in its last state, and would walk on beside the new one.
        ended = walking.get(data.get("executionArn"))
        if ended:
            ended.wait(LONGEST_STATE_SECONDS)
        return redrive_execution(data)

    sfn._run_execution = run_execution
    handle = sfn.handle_request

    async def handle_request(method, path, headers, body, query_params):
        if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            context = contextvars.copy_context()
            answer = await asyncio.to_thread(context.run, wait_and_redrive, json.loads(body or b"{}"))
            return sfn._finalize_response(answer)
        return await handle(method, path, headers, body, query_params)

    sfn.handle_request = handle_request


def repair():
    """Puts all of the above in the place of what the emulator has."""
    from ministack.services import stepfunctions as sfn

    fail_paths_that_find_nothing(sfn)
    catch_what_aws_catches(sfn)
    limit_payloads(sfn)
    read_time_limits_from_the_state(sfn)
    leave_ended_executions_alone(sfn)
    redrive(sfn)
