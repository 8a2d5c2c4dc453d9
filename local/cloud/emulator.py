"""Starts MiniStack, the AWS emulator of the local cloud, with the few in-process repairs this project relies on.

Run by local/cloud/emulator.ts. Each repair is one function that says what AWS does, what the emulator does
and what changes; docs/local-cloud.md lists them, test/integration/local-cloud has a test for each.

Environment, besides the emulator's own (BIND_HOST, GATEWAY_PORT, AUTH, ...):
  LIFEBOAT_CALL_LOG    file that gets one JSON line per authorized call of a role or user
  LIFEBOAT_LOCAL_CLOCK file that exists while the functions live by a clock of their own (local/cloud/function-clock.ts)
  LIFEBOAT_LIFELINE    when set, the emulator ends as soon as its stdin is closed: it never outlives who started it
"""

import contextvars
import importlib.metadata
import json
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
    """Writes who called what on which resource and whether IAM allowed it, as JSON lines.

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
                "allowed": denied is None,
            }
            with lock:
                log.write(json.dumps(line) + "\n")
                log.flush()
        return denied

    iam_evaluator.enforce = enforce_and_record


def end_with_parent():
    """The starter holds the other end of stdin: when it is gone, however it ended, the emulator goes too."""

    def wait():
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)
        # With a hung invocation the emulator would never end by itself.
        time.sleep(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=wait, daemon=True, name="lifeline").start()


def main():
    assert_version()
    if os.environ.get("LIFEBOAT_LIFELINE"):
        end_with_parent()
    judge_every_call_as_tls()
    fill_in_scheduler_context()
    name_the_throttle_in_step_functions()
    checksum_whole_objects()
    if os.environ.get("LIFEBOAT_LOCAL_CLOCK"):
        take_calls_of_any_time(os.environ["LIFEBOAT_LOCAL_CLOCK"])
    if os.environ.get("LIFEBOAT_CALL_LOG"):
        record_calls(os.environ["LIFEBOAT_CALL_LOG"])
    import ministack.app

    ministack.app.main()


if __name__ == "__main__":
    main()
