"""What the emulator did, written beside it as JSON lines: it keeps nothing of it that can be asked for. emulator.py starts these."""

import json
import threading
import time


def record_calls(path):
    """Writes who called what on which resource, with which condition keys, and whether IAM allowed it, as JSON lines.

    Every authorization of the emulator goes through `enforce`; calls of the account's root key are left out.
    A function's role session carries the function's name, as on AWS.
    """
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id

    enforce = iam_evaluator.enforce
    lock = threading.Lock()
    log = open(path, "a", encoding="utf-8")

    def enforce_and_record(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
        denied = enforce(access_key_id, iam_action, service, region, resource_arn=resource_arn, service_context=service_context)
        if not iam_evaluator.is_root_access_key(access_key_id or ""):
            principal = iam_evaluator.resolve_principal(access_key_id or "", get_account_id())
            line = {
                "time": time.time(),
                "principal": getattr(principal, "arn", ""),
                "action": iam_action,
                "resource": resource_arn,
                "context": service_context or {},
                "allowed": denied is None,
            }
            with lock:
                log.write(json.dumps(line) + "\n")
                log.flush()
        return denied

    iam_evaluator.enforce = enforce_and_record


def record_runs(path):
    """Writes how each attempt to run a function ended, as JSON lines: what Lambda tells CloudWatch as Errors.

    The emulator counts synchronous calls only. Here are also those of schedules and their repetitions, and those that were ended by a
    time limit or whose process died: all of them go through `_execute_function_dispatch`.
    """
    from ministack.services import lambda_svc

    dispatch = lambda_svc._execute_function_dispatch
    lock = threading.Lock()
    log = open(path, "a", encoding="utf-8")

    def dispatch_and_record(func, config, event, request_id, started):
        failed = True
        try:
            result = dispatch(func, config, event, request_id, started)
            failed = bool(result.get("error")) if isinstance(result, dict) else False
            return result
        finally:
            with lock:
                log.write(json.dumps({"time": started, "function": config.get("FunctionName", ""), "failed": failed}) + "\n")
                log.flush()

    lambda_svc._execute_function_dispatch = dispatch_and_record


def record_messages(path):
    """Writes what is published to topics, as JSON lines: the emulator delivers to subscriptions only, and keeps nothing that can be asked for."""
    from ministack.services import sns

    publish = sns.publish_internal
    lock = threading.Lock()

    def publish_and_record(topic_arn, message, subject="", **kwargs):
        result = publish(topic_arn, message, subject, **kwargs)
        if result is not None and not result.get("duplicate"):
            text = message if isinstance(message, str) else json.dumps(message)
            with lock, open(path, "a", encoding="utf-8") as log:
                log.write(json.dumps({"topic": topic_arn, "subject": subject or "", "message": text}) + "\n")
        return result

    sns.publish_internal = publish_and_record
