"""What a state may read and write, as repairs of the emulator's Step Functions: paths, choices, sizes and which error a Catch matches.

Each function takes what the emulator has and gives what stands in its place; state_machines.py puts it there.
"""

import contextvars
import json

MOST_BYTES = 256 * 1024
# Nothing but its own name in a Catch or Retry matches one of these.
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
TERMINAL = ("States.Runtime", "States.DataLimitExceeded")
TIMEOUTS = ("States.Timeout", "States.HeartbeatTimeout")

# The context object ($$) of the state that runs in this thread.
context_object = contextvars.ContextVar("context_object", default=None)


class Missing(Exception):
    """A path that finds nothing."""


def value_at(sfn, path, data):
    """Exactly what a path names. A wildcard may find nothing: then it is an empty list, on AWS too."""
    tokens = sfn._parse_jsonpath_tokens(path)
    if tokens is None:
        raise Missing
    if any(kind == "wildcard" for kind, _ in tokens):
        return resolve_leniently(path, data)
    for kind, key in tokens:
        found = isinstance(data, dict) and key in data if kind == "field" else isinstance(data, list) and key < len(data)
        if not found:
            raise Missing
        data = data[key]
    return data


resolve_leniently = None


def strict_paths(sfn):
    """A path that finds nothing fails the state with States.Runtime on AWS; the emulator goes on with null.

    The documentation names States.ParameterPathFailure for payload templates, what AWS gives is States.Runtime there too.
    """
    global resolve_leniently
    resolve_leniently = sfn._resolve_path

    def resolve_path(path, data):
        if path == "$" or not path:
            return data
        try:
            return value_at(sfn, path, data)
        except Missing:
            raise sfn._ExecutionError("States.Runtime", f"Invalid path '{path}': it finds nothing in {text_of(data)[:1000]}") from None

    return resolve_path


def payload_templates(sfn):
    """Fields that end in .$ are replaced at any depth, inside lists of lists as well, where the emulator leaves them.

    A path that finds nothing is told with its field; an intrinsic function that fails is States.IntrinsicFailure, not States.Runtime.
    ResultSelector may read the context object too.
    """

    def resolved(key, value, data, ctx):
        if not isinstance(value, str) or not value.startswith(("$", "States.")):
            raise sfn._ExecutionError("States.Runtime", f"The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call")
        if value.startswith("States."):
            try:
                return sfn._evaluate_intrinsic(value, data, ctx)
            except sfn._ExecutionError:
                raise
            except Exception as error:
                raise sfn._ExecutionError("States.IntrinsicFailure", f"{value} for the field '{key}' failed: {error}") from None
        inside = value[1:] if value.startswith("$$") else value
        try:
            return value_at(sfn, inside, ctx if value.startswith("$$") else data)
        except Missing:
            cause = f"The JSONPath '{value}' specified for the field '{key}' could not be found in the input '{text_of(data)[:1000]}'"
            raise sfn._ExecutionError("States.Runtime", cause) from None

    def resolve(template, data, ctx=None):
        ctx = ctx or context_object.get() or {}
        if isinstance(template, list):
            return [resolve(each, data, ctx) for each in template]
        if not isinstance(template, dict):
            return template
        return {
            (key[:-2] if key.endswith(".$") else key): resolved(key, value, data, ctx) if key.endswith(".$") else resolve(value, data, ctx)
            for key, value in template.items()
        }

    return resolve


def parameters(sfn):
    """Empty Parameters are an empty input, where the emulator passes the whole; what is too large ends the execution.

    Each attempt of a task that waits for its token gets a token of its own, where the emulator repeats the first.
    """

    def apply(state, data, ctx=None):
        if ctx is not None and state.get("Resource", "").endswith(".waitForTaskToken"):
            ctx["Task"] = {"Token": sfn.new_uuid()}
        result = sfn._resolve_params_obj(state["Parameters"], data, ctx) if "Parameters" in state else data
        return limited(sfn, result, "input")

    return apply


def result_path(sfn):
    """ResultPath can only go through objects: anything else in its way is States.ResultPathMatchFailure, where the emulator replaces it."""

    def apply(path, original, result):
        if path is None or path == "$":
            return sfn.copy.deepcopy(original) if path is None else result
        tokens = sfn._parse_jsonpath_tokens(path)
        output = sfn.copy.deepcopy(original)
        place = output
        for depth, (kind, key) in enumerate(tokens or [("invalid", None)]):
            if kind != "field" or not isinstance(place, dict):
                cause = f"Unable to apply step \"{path}\" to input {text_of(original)[:1000]}"
                raise sfn._ExecutionError("States.ResultPathMatchFailure", cause)
            last = depth == len(tokens) - 1
            place[key] = result if last else place.get(key, {})
            place = place[key]
        return output

    return apply


OPERAND = {
    "String": lambda sfn, value: isinstance(value, str),
    "Numeric": lambda sfn, value: sfn._is_num(value),
    "Boolean": lambda sfn, value: isinstance(value, bool),
    "Timestamp": lambda sfn, value: sfn._is_timestamp(value),
}


def choice_rules(sfn, evaluate):
    """Only IsPresent may look at what is not there, and null is there; true is no number.

    Of the comparisons with another path (StringLessThanPath, ...) the emulator knows some, and takes the others for false.
    """

    def rule_of(rule, data, ctx=None):
        if "Variable" not in rule:
            return evaluate(rule, data, ctx)
        if "IsPresent" in rule:
            try:
                sfn._resolve_path_or_ctx(rule["Variable"], data, ctx)
                return rule["IsPresent"]
            except sfn._ExecutionError:
                return not rule["IsPresent"]
        try:
            value = sfn._resolve_path_or_ctx(rule["Variable"], data, ctx)
        except sfn._ExecutionError:
            raise condition_error(rule["Variable"]) from None
        if "IsNumeric" in rule:
            return sfn._is_num(value) == rule["IsNumeric"]
        for operator, path in rule.items():
            if operator.endswith("Path"):
                return rule_of({"Variable": rule["Variable"], operator[:-4]: operand(operator, path, data, ctx)}, data, ctx)
        if "BooleanEquals" in rule:
            return value is rule["BooleanEquals"]
        return evaluate(rule, data, ctx)

    def operand(operator, path, data, ctx):
        fits = next(fits for kind, fits in OPERAND.items() if operator.startswith(kind))
        try:
            value = sfn._resolve_path_or_ctx(path, data, ctx)
        except sfn._ExecutionError:
            raise condition_error(path) from None
        if not fits(sfn, value):
            raise condition_error(path)
        return value

    def condition_error(path):
        return sfn._ExecutionError("States.Runtime", f"Invalid path '{path}': The choice state's condition path references an invalid value.")

    return rule_of


def error_matches(sfn, matches):
    """States.ALL and States.TaskFailed match no States.Runtime and no States.DataLimitExceeded; States.TaskFailed no time-out either.

    A missed heartbeat is matched by States.HeartbeatTimeout and by States.Timeout. What ends a walk is matched by nothing.
    """

    def error_matches(error_equals, error):
        if error is None:
            return False
        if error in TERMINAL:
            return error in error_equals
        if error in TIMEOUTS:
            return "States.ALL" in error_equals or error in error_equals or "States.Timeout" in error_equals
        return matches(error_equals, error)

    return error_matches


def text_of(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def limited(sfn, value, what):
    """More than 256 KiB between states, and from or to a task, is States.DataLimitExceeded; the emulator has no limit."""
    if len(text_of(value).encode()) > MOST_BYTES:
        name = ((context_object.get() or {}).get("State") or {}).get("Name", "")
        cause = f"The state/task '{name}' has an {what} with a size exceeding the maximum number of bytes service limit."
        raise sfn._ExecutionError("States.DataLimitExceeded", cause)
    return value
