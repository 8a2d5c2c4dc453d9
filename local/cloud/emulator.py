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

import contextvars
import copy
import importlib.metadata
import json
import os
import queue
import re
import signal
import sys
import threading
import time

SUPPORTED_VERSION = "1.5.33"
GRACE_SECONDS = 4
# S3 copies after it has answered, mostly within seconds.
REPLICATION_SECONDS = 0.2


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


def name_the_throttle_in_step_functions():
    """A throttled Lambda task fails with Lambda.TooManyRequestsException, so that a Retry can name it.

    The emulator gives the API's TooManyRequestsException, which no Retry written for AWS matches.
    """
    from ministack.services import stepfunctions

    call = stepfunctions._call_lambda

    def call_with_aws_name(*args, **kwargs):
        try:
            return call(*args, **kwargs)
        except stepfunctions._ExecutionError as error:
            cause = str(getattr(error, "cause", error))
            if "TooManyRequestsException" in cause or "TooManyRequestsException" in str(getattr(error, "error", "")):
                raise stepfunctions._ExecutionError("Lambda.TooManyRequestsException", cause) from None
            raise

    stepfunctions._call_lambda = call_with_aws_name


def checksum_whole_objects():
    """An upload in parts may ask for one CRC over the whole object (x-amz-checksum-type: FULL_OBJECT).

    The emulator always gives the composite of the parts' checksums, which says nothing about the object's own bytes.
    """
    from ministack.services import s3

    create, complete = s3._create_multipart_upload, s3._complete_multipart_upload
    composite, record_version = s3._composite_checksum, s3._record_object_version
    parts_in_order = contextvars.ContextVar("parts_in_order", default=None)

    def create_multipart_upload(bucket_name, key, headers):
        status, response_headers, body = create(bucket_name, key, headers)
        if status == 200 and headers.get("x-amz-checksum-type", "").upper() == "FULL_OBJECT":
            upload_id = re.search(rb"<UploadId>([^<]+)</UploadId>", body).group(1).decode()
            s3._multipart_uploads[upload_id]["full_object_checksum"] = True
            response_headers["x-amz-checksum-type"] = "FULL_OBJECT"
        return status, response_headers, body

    def composite_checksum(algorithm, part_checksums):
        parts = parts_in_order.get()
        if parts is None or not algorithm:
            return composite(algorithm, part_checksums)
        return s3._compute_s3_checksum(algorithm, b"".join(part["body"] for part in parts))

    def record_object_version(bucket_name, key, prior_obj, obj, data):
        if parts_in_order.get() is not None:
            obj["checksum_type"] = "FULL_OBJECT"
        return record_version(bucket_name, key, prior_obj, obj, data)

    def complete_multipart_upload(bucket_name, key, body, query_params, headers=None):
        upload_id = s3._qp(query_params, "uploadId")
        upload = s3._multipart_uploads.get(upload_id) or {}
        if not upload.get("full_object_checksum"):
            return complete(bucket_name, key, body, query_params, headers)
        numbers = sorted(int(number) for number in re.findall(rb"<PartNumber>\s*(\d+)\s*</PartNumber>", body))
        token = parts_in_order.set([upload["parts"][number] for number in numbers if number in upload["parts"]])
        try:
            status, response_headers, answer = complete(bucket_name, key, body, query_params, headers)
        finally:
            parts_in_order.reset(token)
        response = (status, response_headers, answer.replace(b"COMPOSITE", b"FULL_OBJECT"))
        if upload_id in s3._completed_multipart_uploads:
            s3._completed_multipart_uploads[upload_id]["response"] = response
        return response

    s3._create_multipart_upload = create_multipart_upload
    s3._complete_multipart_upload = complete_multipart_upload
    s3._composite_checksum = composite_checksum
    s3._record_object_version = record_object_version


def ask_for_the_rights_to_lock_and_to_tag():
    """A write that sets a retention or tags needs s3:PutObjectRetention or s3:PutObjectTagging besides s3:PutObject.

    The emulator asks for the latter only. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
    """
    from ministack.core import iam_actions

    checks = iam_actions.s3_additional_checks

    def checks_of_headers(method, path, headers, body, query_params):
        found = checks(method, path, headers, body, query_params)
        bucket, _, key = path.lstrip("/").partition("/")
        # Parts and the completion of an upload carry neither: the request that opened it did.
        writes = method == "PUT" or (method == "POST" and "uploads" in query_params)
        if key and writes and any(headers.get(f"x-amz-object-lock-{name}") for name in ("mode", "retain-until-date")):
            found = [*found, ("s3:PutObjectRetention", f"arn:aws:s3:::{bucket}/{key}")]
        if key and writes and headers.get("x-amz-tagging"):
            found = [*found, ("s3:PutObjectTagging", f"arn:aws:s3:::{bucket}/{key}")]
        return found

    iam_actions.s3_additional_checks = checks_of_headers


def tag_what_is_uploaded_in_parts():
    """The request that opens an upload in parts may carry the tags of the object; the emulator takes them and forgets them."""
    from urllib.parse import parse_qsl

    from ministack.services import s3

    create, complete = s3._create_multipart_upload, s3._complete_multipart_upload

    def create_multipart_upload(bucket_name, key, headers):
        status, response_headers, body = create(bucket_name, key, headers)
        if status == 200 and headers.get("x-amz-tagging"):
            upload_id = re.search(rb"<UploadId>([^<]+)</UploadId>", body).group(1).decode()
            s3._multipart_uploads[upload_id]["tags"] = dict(parse_qsl(headers["x-amz-tagging"], keep_blank_values=True))
        return status, response_headers, body

    def complete_multipart_upload(bucket_name, key, body, query_params, headers=None):
        tags = (s3._multipart_uploads.get(s3._qp(query_params, "uploadId")) or {}).get("tags")
        status, response_headers, answer = complete(bucket_name, key, body, query_params, headers)
        if status == 200 and tags:
            s3._object_tags[(bucket_name, key, response_headers.get("x-amz-version-id"))] = tags
        return status, response_headers, answer

    s3._create_multipart_upload = create_multipart_upload
    s3._complete_multipart_upload = complete_multipart_upload


def tell_of_missing_objects_only_to_who_may_list():
    """Reading an object that is not there is 404 for callers with s3:ListBucket on its key as prefix, and 403 for all others.

    The emulator gives 404 to everyone. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_region
    from ministack.core.router import extract_access_key_id
    from ministack.services import s3

    def judged(read):
        def read_or_deny(bucket_name, key, headers=None, query_params=None):
            answer = read(bucket_name, key, headers, query_params)
            access_key = extract_access_key_id(headers or {}, query_params or {})
            if answer[0] != 404 or b"NoSuchKey" not in answer[2] or not access_key:
                return answer
            bucket, context = f"arn:aws:s3:::{bucket_name}", {"s3:prefix": key}
            denied = iam_evaluator.enforce(access_key, "s3:ListBucket", "s3", get_region(), bucket, context)
            return s3._error("AccessDenied", "Access Denied", 403, f"/{bucket_name}/{key}") if denied else answer

        return read_or_deny

    s3._get_object, s3._head_object = judged(s3._get_object), judged(s3._head_object)


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


def replicate_after_the_answer(pause):
    """S3 copies after it has answered: until then the version's replication status is PENDING; lock and tags go with the copy.

    The emulator copies while it writes, so that nothing is ever late, and forgets the lock.
    """
    from ministack.services import s3

    replicate, replicate_marker = s3._maybe_replicate, s3._maybe_replicate_delete_marker
    jobs = queue.SimpleQueue()

    def later(job, *args):
        # The account and the region of a request are context variables.
        jobs.put((time.monotonic() + REPLICATION_SECONDS, contextvars.copy_context(), job, args))

    def maybe_replicate(bucket_name, key, obj, data, tags=None):
        if s3._replication_rule_for(bucket_name, key, tags)[0] is not None:
            obj["replication_status"] = "PENDING"
            later(copy_version, bucket_name, key, obj, data, tags)

    def copy_version(bucket_name, key, obj, data, tags):
        replicate(bucket_name, key, obj, data, tags)
        version = obj.get("version_id")
        current = s3._buckets[bucket_name]["objects"].get(key)
        for known in [*s3._object_versions.get((bucket_name, key), []), *([current] if current else [])]:
            if known.get("version_id") == version:
                known["replication_status"] = obj["replication_status"]
        if obj.get("_replica"):
            target, target_version, _ = obj["_replica"]
            for store in (s3._object_retention, s3._object_legal_hold, s3._object_tags):
                if (bucket_name, key, version) in store:
                    store[(target, key, target_version)] = copy.copy(store[(bucket_name, key, version)])

    def work():
        while True:
            due, context, job, args = jobs.get()
            time.sleep(max(0, due - time.monotonic()))
            while os.path.exists(pause):
                time.sleep(0.02)
            try:
                context.run(job, *args)
            except Exception as error:
                print(f"replication of {args[:2]} failed: {error!r}", file=sys.stderr)

    s3._maybe_replicate = maybe_replicate
    s3._maybe_replicate_delete_marker = lambda bucket_name, key: later(replicate_marker, bucket_name, key)
    threading.Thread(target=work, daemon=True, name="replication").start()


def take_calls_of_any_time(clock_file):
    """A call that is signed more than some minutes from now is refused, here as on AWS.

    While the functions' clock is moved, the time of a call says nothing: SDKs also remember by how much they were off before.
    """
    from ministack.core import sigv4

    judge = sigv4.request_time_failure

    def judge_unless_moved(signature, *, now=None):
        return None if os.path.exists(clock_file) else judge(signature, now=now)

    sigv4.request_time_failure = judge_unless_moved


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


def end_with_parent():
    """The starter holds the other end of stdin: when it is gone, however it ended, the emulator goes too."""

    def wait():
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)
        # With a hung invocation the emulator would never end by itself.
        time.sleep(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=wait, daemon=True, name="lifeline").start()


def run_commands_on_local_nodes():
    """Run Command reaches the nodes of local/nodes; the emulator's own has no documents and no nodes without containers."""
    import run_command

    run_command.repair()


def copy_what_others_change():
    """The items of a Map copy their context while other threads write into parts of it, and one in some hundred Maps failed for that."""
    from ministack.services import stepfunctions

    plain = stepfunctions.copy

    class Patient:
        def __getattr__(self, name):
            return getattr(plain, name)

        def deepcopy(self, value):
            for _ in range(50):
                try:
                    return plain.deepcopy(value)
                except RuntimeError:
                    time.sleep(0.002)
            return plain.deepcopy(value)

    stepfunctions.copy = Patient()


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
    name_the_throttle_in_step_functions()
    copy_what_others_change()
    checksum_whole_objects()
    ask_for_the_rights_to_lock_and_to_tag()
    tag_what_is_uploaded_in_parts()
    tell_of_missing_objects_only_to_who_may_list()
    read_outputs_of_other_regions()
    replicate_after_the_answer(os.environ["LIFEBOAT_REPLICATION_PAUSE"])
    if os.environ.get("LIFEBOAT_LOCAL_CLOCK"):
        take_calls_of_any_time(os.environ["LIFEBOAT_LOCAL_CLOCK"])
    if os.environ.get("LIFEBOAT_CALL_LOG"):
        record_calls(os.environ["LIFEBOAT_CALL_LOG"])
    run_commands_on_local_nodes()
    run_state_machines_as_aws_does()
    rotate_secrets_by_their_functions()
    # After the log of calls, which then has the condition keys too.
    answer_for_names_as_aws_does()
    # After what is refused, which then is in the history as refused.
    keep_the_history_of_zones()
    if os.environ.get("LIFEBOAT_RUN_LOG"):
        record_runs(os.environ["LIFEBOAT_RUN_LOG"])
    if os.environ.get("LIFEBOAT_MESSAGE_LOG"):
        record_messages(os.environ["LIFEBOAT_MESSAGE_LOG"])
    import ministack.app

    ministack.app.main()


if __name__ == "__main__":
    main()
