"""How an execution ends, and goes on after its end: time limits, StopExecution, RedriveExecution.

Repairs of the emulator's Step Functions, see state_machines.py. Each function takes what the emulator has and gives what stands in its place.
"""

import contextvars
import json
import threading

from state_machine_walk import ending, walk_here, walks


def finish(sfn, execution, output):
    with ending:
        if execution["status"] != "RUNNING":
            return
        execution.update(status="SUCCEEDED", output=json.dumps(output), stopDate=sfn.now_iso())
    sfn._add_event(execution, "ExecutionSucceeded", {"executionSucceededEventDetails": {"output": execution["output"]}})
    sfn._emit_execution_status_event(execution)


def limit_time(sfn, execution, walk, definition):
    def time_out():
        with ending:
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
        with ending:
            if execution["status"] != "RUNNING":
                return
            fail(execution, error, cause)
            # On AWS only an execution that succeeded has an output.
            execution["output"] = None
        walks[execution["executionArn"]].end()

    return fail_if_running


def add_event(sfn, add):
    """Nothing is added to the history by what goes on after its walk has ended."""

    def add_while_walking(execution, kind, details=None):
        walk = walk_here.get()
        ended = execution["status"] != "RUNNING" or (walk is not None and walk.has_ended())
        return None if ended and not kind.startswith("Execution") else add(execution, kind, details)

    return add_while_walking


def stop_execution(sfn, stop):
    """StopExecution ends the walk at its next state, waits and task tokens at once; the emulator's goes on to the end."""

    def stop_walk(data):
        with ending:
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
