"""S3 as on AWS where an upload, a reader or a replica can tell the difference, as repairs of the emulator that emulator.py starts."""

import contextvars
import copy
import os
import queue
import re
import sys
import threading
import time

# S3 copies after it has answered, mostly within seconds.
REPLICATION_SECONDS = 0.2


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


def repair(pause):
    """Puts all of the above in the place of what the emulator has."""
    checksum_whole_objects()
    ask_for_the_rights_to_lock_and_to_tag()
    tag_what_is_uploaded_in_parts()
    tell_of_missing_objects_only_to_who_may_list()
    replicate_after_the_answer(pause)
