"""Rotation of secrets by Secrets Manager's own contract, as repairs of the emulator that emulator.py starts.

The emulator makes the current value the next version and calls nobody. AWS makes a version without a value, labels it AWSPENDING and calls the
rotation function four times for it, and the whole again when a step fails
(docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html).
"""

import contextvars
import json
import threading
import time

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
# AWS tries again within hours; nobody waits for that here.
TRIES = 3
PAUSE_SECONDS = 1

PENDING = "AWSPENDING"
CURRENT = "AWSCURRENT"
CANNOT_FIND = "Secrets Manager can't find the specified secret"

lock = threading.RLock()


def value_of(version):
    return (version.get("SecretString"), version.get("SecretBinary"))


def has_value(version):
    """CloudFormation's own secrets without a value have an empty one here, which AWS knows nowhere."""
    return any(value_of(version))


def labels_of(version):
    return set(version["Stages"])


def create_secret(sm, create):
    """A secret without a value has no version."""

    def create_secret(data):
        answer = create(data)
        if answer[0] < 400 and data.get("SecretString") is None and data.get("SecretBinary") is None:
            sm._secrets[data["Name"]]["Versions"].clear()
            body = json.loads(answer[2])
            body.pop("VersionId", None)
            return sm.json_response(body)
        return answer

    return create_secret


def get_secret_value(sm, get):
    """What has a label and no value is not found; AWS says so of a version that was never filled."""

    def get_secret_value(data):
        answer = get(data)
        if answer[0] < 400:
            body = json.loads(answer[2])
            if not body.get("SecretString") and not body.get("SecretBinary"):
                message = f"{CANNOT_FIND} value for VersionId: {body['VersionId']}"
                return sm.error_response_json("ResourceNotFoundException", message, 400)
        return answer

    return get_secret_value


def put_secret_value(sm, put):
    """The same token takes the same value again, and no other; a version that waits for its value keeps its label."""

    def put_secret_value(data):
        token = data.get("ClientRequestToken")
        _, secret = sm._resolve(data.get("SecretId"))
        with lock:
            version = secret["Versions"].get(token) if secret and token else None
            if version is None:
                return put(data)
            if has_value(version):
                if value_of(version) != (data.get("SecretString"), data.get("SecretBinary")):
                    message = f"You can't use ClientRequestToken {token} because that value is already in use for a version of secret {secret['ARN']}."
                    return sm.error_response_json("ResourceExistsException", message, 400)
            else:
                version.update(SecretString=data.get("SecretString"), SecretBinary=data.get("SecretBinary"))
            for label in data.get("VersionStages") or [CURRENT]:
                if label == CURRENT:
                    sm._apply_current_promotion(secret, token)
                else:
                    sm._remove_stage_everywhere(secret, label, except_version_id=token)
                    sm._add_stage(secret, token, label)
            answer = {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token, "VersionStages": list(version["Stages"])}
            return sm.json_response(answer)

    return put_secret_value


def function_of(arn):
    """The function's own record, and whether it lets Secrets Manager call it."""
    from ministack.services import lambda_svc

    func = lambda_svc._functions.get(arn.split(":function:")[-1].split(":")[0])
    statements = func["policy"]["Statement"] if func else []
    allowed = any(each.get("Principal", {}).get("Service") == "secretsmanager.amazonaws.com" for each in statements if isinstance(each.get("Principal"), dict))
    return func, allowed


def call(func, secret, token, step):
    """Whether the function did the step."""
    from ministack.services import lambda_svc

    event = {"SecretId": secret["ARN"], "ClientRequestToken": token, "Step": step}
    return not lambda_svc._execute_function(func, event).get("error")


def rotation(sm, func, secret, token):
    """The whole process, again when a step of it fails; AWSPENDING goes when the version became the current one."""
    for attempt in range(TRIES):
        if attempt > 0:
            time.sleep(PAUSE_SECONDS)
        if all(call(func, secret, token, step) for step in STEPS):
            with lock:
                version = secret["Versions"].get(token)
                if version is not None and CURRENT in version["Stages"]:
                    sm._remove_stage(secret, token, PENDING)
                secret["LastRotatedDate"] = int(time.time())
            return


def test_alone(sm, func, secret, token):
    """AWS calls testSecret for a version that it makes and takes away again."""
    for _ in range(TRIES):
        if call(func, secret, token, "testSecret"):
            break
        time.sleep(PAUSE_SECONDS)
    with lock:
        version = secret["Versions"].get(token)
        if version is not None and labels_of(version) <= {PENDING} and not has_value(version):
            del secret["Versions"][token]


def rotate_secret(sm):
    def rotate_secret(data):
        _, secret = sm._resolve(data.get("SecretId"))
        if not secret:
            return sm.error_response_json("ResourceNotFoundException", f"{CANNOT_FIND}.", 400)
        arn = data.get("RotationLambdaARN") or secret.get("RotationLambdaARN")
        if not arn:
            message = "No Lambda rotation function ARN is associated with this secret."
            return sm.error_response_json("InvalidRequestException", message, 400)
        func, allowed = function_of(arn)
        if not func or not allowed:
            message = f"Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com. ({arn})"
            return sm.error_response_json("AccessDeniedException", message, 400)
        with lock:
            secret.update(RotationEnabled=True, RotationLambdaARN=arn)
            if data.get("RotationRules"):
                secret["RotationRules"] = data["RotationRules"]
            waiting = next((vid for vid, each in secret["Versions"].items() if PENDING in each["Stages"] and CURRENT not in each["Stages"]), None)
            token = waiting or data.get("ClientRequestToken") or sm.new_uuid()
            if waiting is None:
                sm._remove_stage_everywhere(secret, PENDING)
                secret["Versions"][token] = {"SecretString": None, "SecretBinary": None, "CreatedDate": int(time.time()), "Stages": [PENDING]}
        work = rotation if data.get("RotateImmediately", True) else test_alone
        start(work, sm, func, secret, token)
        if waiting is not None and token != data.get("ClientRequestToken"):
            message = "A previous rotation isn't complete. That rotation will be reattempted."
            return sm.error_response_json("InvalidRequestException", message, 400)
        return sm.json_response({"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token})

    return rotate_secret


working = set()


def start(work, sm, func, secret, token):
    """After the answer, and once at a time for each version."""
    with lock:
        if (secret["ARN"], token) in working:
            return
        working.add((secret["ARN"], token))

    def run():
        try:
            work(sm, func, secret, token)
        finally:
            with lock:
                working.discard((secret["ARN"], token))

    # Account and region of the request come along.
    threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True, name="rotation").start()


def cancel_rotation(sm):
    def cancel_rotate_secret(data):
        _, secret = sm._resolve(data.get("SecretId"))
        if not secret:
            return sm.error_response_json("ResourceNotFoundException", f"{CANNOT_FIND}.", 400)
        secret["RotationEnabled"] = False
        pending = next((vid for vid, each in secret["Versions"].items() if PENDING in each["Stages"]), None)
        return sm.json_response({"ARN": secret["ARN"], "Name": secret["Name"], **({"VersionId": pending} if pending else {})})

    return cancel_rotate_secret


def describe_secret(describe, sm):
    def describe_secret(data):
        answer = describe(data)
        _, secret = sm._resolve(data.get("SecretId"))
        if answer[0] < 400 and secret and secret.get("LastRotatedDate"):
            return sm.json_response({**json.loads(answer[2]), "LastRotatedDate": secret["LastRotatedDate"]})
        return answer

    return describe_secret


def repair():
    from ministack.services import secretsmanager as sm

    sm._create_secret = create_secret(sm, sm._create_secret)
    sm._get_secret_value = get_secret_value(sm, sm._get_secret_value)
    sm._put_secret_value = put_secret_value(sm, sm._put_secret_value)
    sm._describe_secret = describe_secret(sm._describe_secret, sm)
    sm._rotate_secret = rotate_secret(sm)
    handle = sm.handle_request
    cancel = cancel_rotation(sm)

    async def handle_request(method, path, headers, body, query_params):
        if headers.get("x-amz-target", "").endswith(".CancelRotateSecret"):
            return cancel(json.loads(body or b"{}"))
        return await handle(method, path, headers, body, query_params)

    sm.handle_request = handle_request
