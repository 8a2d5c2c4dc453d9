"""Starts MiniStack, the AWS emulator of the local cloud, with the few in-process repairs this project relies on.

Run by local/cloud/emulator.ts. Each repair is one function that says what AWS does, what the emulator does
and what changes; docs/local-cloud.md lists them, test/integration/local-cloud has a test for each.

Environment, besides the emulator's own (BIND_HOST, GATEWAY_PORT, AUTH, ...):
  LIFEBOAT_CALL_LOG           file that gets one JSON line per authorized call of a role or user
  LIFEBOAT_RUN_LOG            file that gets one JSON line per attempt to run a function
  LIFEBOAT_MESSAGE_LOG        file that gets one JSON line per message that is published to a topic
  LIFEBOAT_REPLICATION_PAUSE  file that holds back replication as long as it exists
  LIFEBOAT_LOCAL_CLOCK        file that exists while the functions live by a clock of their own (local/cloud/function-clock.ts)
  LIFEBOAT_SCHEDULES          "off": nothing is started by the clock
  LIFEBOAT_NODES_FILE         the nodes that Systems Manager reaches, see run_command.py
  SFN_WAIT_SCALE              by what the waits of state machines are multiplied (the emulator's own; 1 by default)
  LIFEBOAT_LIFELINE           when set, the emulator ends as soon as its stdin is closed: it never outlives who started it
"""

import importlib.metadata
import os
import re
import signal
import sys
import threading
import time

SUPPORTED_VERSION = "1.5.33"
GRACE_SECONDS = 4


def assert_version():
    """The repairs reach into private functions, so any other version has to be tried anew first."""
    found = importlib.metadata.version("ministack")
    if found != SUPPORTED_VERSION:
        sys.exit(f"ministack {found} is installed, but the repairs in emulator.py are for {SUPPORTED_VERSION} only")


def judge_every_call_as_tls():
    """AWS is reached by TLS, the emulator by plain HTTP on loopback.

    Bucket and topic policies deny calls whose aws:SecureTransport is false, which here would be all of them.
    """
    import ministack.app as app

    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _secure: pin(source_ip, True)


def start_nothing_by_the_clock():
    """For whoever counts what functions do: a schedule of a minute fires in the middle of everything."""
    from ministack.services import scheduler

    scheduler.start_scheduler = lambda: None


def fill_in_scheduler_context():
    """EventBridge Scheduler replaces <aws.scheduler.*> in a target's input; the emulator passes it literally."""
    from ministack.services import eventbridge

    invoke = eventbridge._invoke_target

    def invoke_with_context(target, event, *args, **kwargs):
        text = str(target.get("Input") or "")
        if event.get("Source") == "aws.scheduler" and "<aws.scheduler." in text:
            context = {
                "scheduled-time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(event["Time"])),
                "execution-id": event["EventId"],
                "attempt-number": "1",
                "schedule-arn": (event.get("Resources") or [""])[0],
            }
            for name, value in context.items():
                text = text.replace(f"<aws.scheduler.{name}>", value)
            target = {**target, "Input": text}
        return invoke(target, event, *args, **kwargs)

    eventbridge._invoke_target = invoke_with_context


def read_outputs_of_other_regions():
    """CloudFormation's Fn::GetStackOutput reads a stack of the region that it names; the emulator looks in the region of the reader."""
    from ministack.core.responses import get_account_id
    from ministack.services.cloudformation import _stacks, changesets, engine, handlers, stacks

    resolve = engine._resolve_refs

    def resolve_there_too(value, *args, **kwargs):
        spec = value.get("Fn::GetStackOutput") if isinstance(value, dict) else None
        if not isinstance(spec, dict) or not spec.get("Region"):
            return resolve(value, *args, **kwargs)
        stack = _stacks.get_scoped(get_account_id(), spec["Region"], spec["StackName"]) or {}
        for output in stack.get("Outputs", []):
            if output.get("OutputKey") == spec["OutputName"]:
                return output["OutputValue"]
        raise ValueError(f"Output '{spec['OutputName']}' not found in stack '{spec['StackName']}' of {spec['Region']}")

    for module in (changesets, engine, handlers, stacks):
        module._resolve_refs = resolve_there_too


def take_calls_of_any_time(clock_file):
    """A call that is signed more than some minutes from now is refused, here as on AWS.

    While the functions' clock is moved, the time of a call says nothing: SDKs also remember by how much they were off before.
    """
    from ministack.core import sigv4

    judge = sigv4.request_time_failure

    def judge_unless_moved(signature, *, now=None):
        return None if os.path.exists(clock_file) else judge(signature, now=now)

    sigv4.request_time_failure = judge_unless_moved


def end_with_parent():
    """The starter holds the other end of stdin: when it is gone, however it ended, the emulator goes too."""

    def wait():
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)
        # With a hung invocation the emulator would never end by itself.
        time.sleep(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=wait, daemon=True, name="lifeline").start()


def store_objects_as_aws_does(pause):
    """S3: checksums and tags of uploads in parts, the rights to lock and to tag, who hears of missing objects, replicas that come later."""
    import objects

    objects.repair(pause)


def run_commands_on_local_nodes():
    """Run Command reaches the nodes of local/nodes; the emulator's own has no documents and no nodes without containers."""
    import run_command

    run_command.repair()


def run_state_machines_as_aws_does():
    """Step Functions: strict paths, limits of time and size, stopping, redriving, task tokens, the rights of the machine's role."""
    import state_machines

    state_machines.repair()


def name_sessions_by_their_role():
    """`aws:PrincipalArn` of a role's session is the ARN of the role; the emulator gives that of the session."""
    from ministack.core import iam_evaluator

    resolve = iam_evaluator._resolve_condition_key

    def resolve_and_name(key, ctx):
        value = resolve(key, ctx)
        if key.lower() != "aws:principalarn" or not isinstance(value, str):
            return value
        return re.sub(r"^arn:(aws[^:]*):sts::(\d+):assumed-role/([^/]+)/.*$", r"arn:\1:iam::\2:role/\3", value)

    iam_evaluator._resolve_condition_key = resolve_and_name


def rotate_secrets_by_their_functions():
    """Secrets Manager: versions without a value, the four steps of a rotation, and the same token for the same value only."""
    import secret_rotation

    secret_rotation.repair()


def answer_for_names_as_aws_does():
    """Route 53 and load balancers: what AWS refuses, protections, who may change which name, targets that are unhealthy."""
    import names

    names.repair()


def keep_the_history_of_zones():
    """CloudTrail: who changed which record."""
    import trail

    trail.repair()


def main():
    assert_version()
    if os.environ.get("LIFEBOAT_LIFELINE"):
        end_with_parent()
    if os.environ.get("LIFEBOAT_SCHEDULES") == "off":
        start_nothing_by_the_clock()
    judge_every_call_as_tls()
    name_sessions_by_their_role()
    fill_in_scheduler_context()
    read_outputs_of_other_regions()
    store_objects_as_aws_does(os.environ["LIFEBOAT_REPLICATION_PAUSE"])
    if os.environ.get("LIFEBOAT_LOCAL_CLOCK"):
        take_calls_of_any_time(os.environ["LIFEBOAT_LOCAL_CLOCK"])
    import records

    if os.environ.get("LIFEBOAT_CALL_LOG"):
        records.record_calls(os.environ["LIFEBOAT_CALL_LOG"])
    run_commands_on_local_nodes()
    run_state_machines_as_aws_does()
    rotate_secrets_by_their_functions()
    # After the log of calls, which then has the condition keys too.
    answer_for_names_as_aws_does()
    # After what is refused, which then is in the history as refused.
    keep_the_history_of_zones()
    if os.environ.get("LIFEBOAT_RUN_LOG"):
        records.record_runs(os.environ["LIFEBOAT_RUN_LOG"])
    if os.environ.get("LIFEBOAT_MESSAGE_LOG"):
        records.record_messages(os.environ["LIFEBOAT_MESSAGE_LOG"])
    import ministack.app

    ministack.app.main()


if __name__ == "__main__":
    main()
