"""CloudTrail's event history of changes in hosted zones, as a repair of the emulator that emulator.py starts.

AWS keeps every call of ChangeResourceRecordSets in us-east-1, with who made it and what was asked for; the emulator keeps nothing unless told to,
and then neither of the two. Here it is known at once: on AWS it takes minutes.
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/logging-using-cloudtrail.html

LIFEBOAT_LOCAL_CLOCK names the file by which the functions' clock is moved; the history goes by that clock, as the functions that ask for it do.
"""

import collections
import contextvars
import json
import os
import time

import names

CALLER = contextvars.ContextVar("caller", default="")


def moved_time():
    try:
        with open(os.environ["LIFEBOAT_LOCAL_CLOCK"], encoding="utf-8") as file:
            return time.time() + json.load(file)["offsetMs"] / 1000
    except (KeyError, FileNotFoundError):
        return time.time()


def identity_of(access_key_id, account_id):
    from ministack.core import iam_evaluator

    arn = getattr(iam_evaluator.resolve_principal(access_key_id, account_id), "arn", "")
    kind = "AssumedRole" if ":assumed-role/" in arn else "IAMUser" if ":user/" in arn else "Root"
    return {"type": kind, "arn": arn or f"arn:aws:iam::{account_id}:root", "accountId": account_id, "accessKeyId": access_key_id}


def asked_for(route53, zone_id, body):
    def told(action, record):
        alias = record.get("AliasTarget")
        values = {"aliasTarget": {"dNSName": alias.get("DNSName", "")}} if alias else {
            "tTL": record.get("TTL"),
            "resourceRecords": [{"value": value} for value in record.get("ResourceRecords") or []],
        }
        return {"action": action, "resourceRecordSet": {"name": record["Name"], "type": record["Type"], **values}}

    return {"hostedZoneId": zone_id, "changeBatch": {"changes": [told(*each) for each in names.changes_in(route53, body)]}}


def history_of(cloudtrail, account_id):
    """Route 53 is in us-east-1, wherever its callers are."""
    found = cloudtrail._events.get_scoped(account_id, "us-east-1", "events")
    if found is None:
        found = collections.deque(maxlen=cloudtrail._MAX_EVENTS)
        cloudtrail._events.set_scoped(account_id, "us-east-1", "events", found)
    return found


def repair():
    from ministack.core import iam_evaluator
    from ministack.core.responses import get_account_id, new_uuid
    from ministack.services import cloudtrail, route53

    enforce, change = iam_evaluator.enforce, route53._change_resource_record_sets

    def enforce_and_remember(access_key_id, *args, **kwargs):
        CALLER.set(access_key_id or "")
        return enforce(access_key_id, *args, **kwargs)

    def change_and_tell(zone_id, body):
        answer = change(zone_id, body)
        account_id, now, event_id = get_account_id(), moved_time(), new_uuid()
        identity = identity_of(CALLER.get(), account_id)
        event = {
            "userIdentity": identity,
            "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            "eventSource": "route53.amazonaws.com",
            "eventName": "ChangeResourceRecordSets",
            "sourceIPAddress": "127.0.0.1",
            "requestParameters": asked_for(route53, zone_id, body),
            **({"errorCode": "InvalidChangeBatch"} if answer[0] >= 400 else {}),
        }
        history_of(cloudtrail, account_id).append(
            {
                "EventId": event_id,
                "EventName": event["eventName"],
                "EventSource": event["eventSource"],
                "EventTime": now,
                "Username": identity["arn"].rsplit("/", 1)[-1],
                "ReadOnly": "false",
                "Resources": [],
                "CloudTrailEvent": json.dumps(event),
            }
        )
        return answer

    iam_evaluator.enforce = enforce_and_remember
    route53._change_resource_record_sets = change_and_tell
