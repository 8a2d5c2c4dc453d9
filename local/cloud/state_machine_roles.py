"""The rights of a state machine, as a repair of the emulator's Step Functions.

On AWS a state machine calls functions and topics by its role, and fails when the role may not. The emulator asks nobody. Here the role is judged
as that of a function is, and is in the call log with the execution's name as its session. AWS SDK integrations are not judged.
"""

import contextvars
import uuid

# The execution that runs in this thread, as the emulator keeps it.
execution_here = contextvars.ContextVar("execution_here", default=None)


def refusal(execution, action, resource):
    """Why the role of an execution may not do this, or None. The session lives as long as the question."""
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import sts

    role = execution["roleArn"].rsplit("/", 1)[-1]
    key = f"ASIA{uuid.uuid4().hex[:16].upper()}"
    arn = f"arn:aws:sts::{get_account_id()}:assumed-role/{role}/{execution['name']}"
    session = {"Arn": arn, "AccountId": get_account_id(), "PrincipalType": "AssumedRole", "SecretAccessKey": key, "UserId": role}
    sts.register_session(key, session)
    try:
        denied = iam_evaluator.enforce(key, action, action.split(":")[0], get_region(), resource_arn=resource)
    finally:
        sts._sessions.pop(key, None)
    return f"User: {arn} is not authorized to perform: {action} on resource: {resource}" if denied is not None else None


def call_lambda(sfn, call):
    """Needs lambda:InvokeFunction on the function; a refusal is Lambda.AWSLambdaException."""
    from ministack.core.responses import get_account_id, get_region

    def call_if_allowed(function, event):
        execution = execution_here.get()
        arn = function if str(function).startswith("arn:") else f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{function}"
        refused = execution and refusal(execution, "lambda:InvokeFunction", arn)
        if refused:
            raise sfn._ExecutionError("Lambda.AWSLambdaException", refused)
        return call(function, event)

    return call_if_allowed


def name_the_throttle(sfn, call):
    """A throttled Lambda task fails with Lambda.TooManyRequestsException, so that a Retry can name it.

    The emulator gives the API's TooManyRequestsException, which no Retry written for AWS matches.
    """

    def call_with_aws_name(*args, **kwargs):
        try:
            return call(*args, **kwargs)
        except sfn._ExecutionError as error:
            cause = str(getattr(error, "cause", error))
            if "TooManyRequestsException" in cause or "TooManyRequestsException" in str(getattr(error, "error", "")):
                raise sfn._ExecutionError("Lambda.TooManyRequestsException", cause) from None
            raise

    return call_with_aws_name


def key_arn(key_id):
    from ministack.core.responses import get_account_id, get_region

    return key_id if key_id.startswith("arn:") else f"arn:aws:kms:{get_region()}:{get_account_id()}:key/{key_id}"


def publish(sfn, publish_anyway):
    """Needs sns:Publish on the topic, and kms:GenerateDataKey and kms:Decrypt on its key when it has one; errors are named as AWS names them."""
    from ministack.services import sns

    def publish_if_allowed(resource, message):
        execution, topic = execution_here.get(), message.get("TopicArn", "")
        known = sns._topics.get(topic)
        if topic and known is None:
            raise sfn._ExecutionError("SNS.NotFoundException", f"Topic does not exist: {topic}")
        if execution and topic:
            key = (known.get("attributes") or {}).get("KmsMasterKeyId")
            checks = [("SNS.AuthorizationErrorException", "sns:Publish", topic)]
            if key and not key.startswith("alias/aws/"):
                checks += [("SNS.KmsAccessDeniedException", f"kms:{action}", key_arn(key)) for action in ("GenerateDataKey", "Decrypt")]
            for error, action, arn in checks:
                refused = refusal(execution, action, arn)
                if refused:
                    raise sfn._ExecutionError(error, refused)
        return publish_anyway(resource, message)

    return publish_if_allowed
