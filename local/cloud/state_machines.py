"""Step Functions as on AWS where a state machine can tell the difference, as repairs of the emulator that emulator.py starts.

Here is how an execution goes through its states. What ends it is in state_machine_ends.py, walks and task tokens in state_machine_walk.py, what its
states may read and write in state_machine_paths.py, its rights in state_machine_roles.py. Only what JSONPath state machines use was looked at.
"""

import json
import time

import state_machine_ends as ends
import state_machine_paths as paths
import state_machine_roles as roles
from state_machine_walk import Walk, answer_token, invoke_with_callback, scaled_sleep, walk_here, walks


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
        timer = ends.limit_time(sfn, execution, walk, definition)
        try:
            ends.finish(sfn, execution, walk_from_place(sfn, execution, walk, definition, context_of(execution, machine, definition)))
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


class PatientCopy:
    """The items of a Map copy their context while other threads write into parts of it, and one in some hundred Maps failed for that."""

    def __init__(self, plain):
        self.plain = plain

    def __getattr__(self, name):
        return getattr(self.plain, name)

    def deepcopy(self, value):
        for _ in range(50):
            try:
                return self.plain.deepcopy(value)
            except RuntimeError:
                time.sleep(0.002)
        return self.plain.deepcopy(value)


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
    sfn._fail_execution = ends.fail_execution(sfn, sfn._fail_execution)
    sfn._add_event = ends.add_event(sfn, sfn._add_event)
    sfn._stop_execution = ends.stop_execution(sfn, sfn._stop_execution)
    sfn._describe_execution = ends.describe_execution(sfn, sfn._describe_execution)
    sfn._resolve_path = paths.strict_paths(sfn)
    sfn._resolve_params_obj = paths.payload_templates(sfn)
    sfn._apply_parameters = paths.parameters(sfn)
    sfn._apply_result_path_raw = paths.result_path(sfn)
    sfn._evaluate_rule = paths.choice_rules(sfn, sfn._evaluate_rule)
    sfn._error_matches = paths.error_matches(sfn, sfn._error_matches)
    sfn._call_lambda = roles.call_lambda(sfn, roles.name_the_throttle(sfn, sfn._call_lambda))
    sfn.copy = PatientCopy(sfn.copy)
    sfn._SERVICE_DISPATCH["arn:aws:states:::sns:publish"] = roles.publish(sfn, sfn._invoke_sns_publish)
    add_redrive(sfn)


def add_redrive(sfn):
    handle, redrive = sfn.handle_request, ends.redrive_execution(sfn)

    async def handle_request(method, path, headers, body, query_params):
        if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            return sfn._finalize_response(redrive(json.loads(body or b"{}")))
        return await handle(method, path, headers, body, query_params)

    sfn.handle_request = handle_request
