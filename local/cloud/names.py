"""Route 53 and load balancers, as repairs of the emulator that emulator.py starts.

What AWS does and the emulator does not: it refuses a CNAME beside other records, values that are none of their type, names outside the zone, and
every change of a record that is protected (which the emulator knows nothing of); it judges ChangeResourceRecordSets by the names, types and actions
in it, and GetChange by the id of the change; and targets of a load balancer are unhealthy at times.

LIFEBOAT_TARGET_HEALTH names a file: by the id of a target its state, as DescribeTargetHealth says it. It is read for every call.
https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html
"""

import contextvars
import hashlib
import ipaddress
import json
import os
import re
from xml.etree.ElementTree import SubElement

NORMALIZED = contextvars.ContextVar("route53_change", default=None)
PROTECTING = {
    ("POST", ""): "CreateResourceRecordSetProtections",
    ("POST", "/delete"): "DeleteResourceRecordSetProtections",
    ("GET", ""): "ListResourceRecordSetProtections",
}
PROTECTION_PATH = re.compile(r"^/2013-04-01/hostedzone/([^/]+)/rrsetprotection(/delete)?/?$")

# By zone: (name, type) → comment.
protections = {}


def normal(name):
    return name.lower().rstrip(".")


def protecting(method, path):
    found = PROTECTION_PATH.match(path)
    return found and PROTECTING.get((method, found.group(2) or ""))


# ── Who may ────────────────────────────────────────────────────────────────


def changes_in(route53, body):
    root = route53._parse_body(body)
    batch = None if root is None else route53._find(root, "ChangeBatch")
    changes = None if batch is None else route53._find(batch, "Changes")
    for change in [] if changes is None else route53._findall(changes, "Change"):
        record = route53._find(change, "ResourceRecordSet")
        if record is not None:
            yield route53._text(change, "Action"), route53._parse_record_set(record)


def judge_by_what_is_changed(route53, iam_actions, iam_evaluator):
    extract_action, extract_arn, enforce = iam_actions.extract_iam_action, iam_actions.extract_resource_arn, iam_evaluator.enforce

    def extract_iam_action(service, method, path, *rest, **kwargs):
        action = service == "route53" and protecting(method, path)
        return f"route53:{action}" if action else extract_action(service, method, path, *rest, **kwargs)

    def extract_resource_arn(service, method, path, headers, body, *rest, **kwargs):
        if service == "route53":
            changes = list(changes_in(route53, body)) if method == "POST" and path.rstrip("/").endswith("/rrset") else []
            NORMALIZED.set(
                {
                    "route53:ChangeResourceRecordSetsNormalizedRecordNames": sorted({normal(record["Name"]) for _, record in changes}),
                    "route53:ChangeResourceRecordSetsRecordTypes": sorted({record["Type"] for _, record in changes}),
                    "route53:ChangeResourceRecordSetsActions": sorted({action for action, _ in changes}),
                }
                if changes
                else None
            )
            change = re.search(r"/change/([^/]+)$", path)
            if change:
                return f"arn:aws:route53:::change/{change.group(1)}"
        return extract_arn(service, method, path, headers, body, *rest, **kwargs)

    def enforce_with_names(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
        if service == "route53" and NORMALIZED.get():
            service_context = {**(service_context or {}), **NORMALIZED.get()}
        return enforce(access_key_id, iam_action, service, region, resource_arn=resource_arn, service_context=service_context)

    iam_actions.extract_iam_action = extract_iam_action
    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator.enforce = enforce_with_names


# ── What is refused ────────────────────────────────────────────────────────


def fault_of(zone_name, record):
    name, kind = normal(record["Name"]), record["Type"]
    if name != normal(zone_name) and not name.endswith("." + normal(zone_name)):
        return f"RRSet with DNS name {record['Name']} is not permitted in zone {zone_name}"
    values, alias = record.get("ResourceRecords") or [], record.get("AliasTarget")
    if alias and (values or record.get("TTL")):
        return "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
    if not alias and (not values or not record.get("TTL")):
        return f"Invalid request: Missing field 'ResourceRecords' or 'TTL' in RRSet {record['Name']} {kind}"
    for value in values:
        try:
            if kind == "A":
                ipaddress.IPv4Address(value)
            elif kind == "AAAA":
                ipaddress.IPv6Address(value)
            elif kind == "TXT" and not re.fullmatch(r'\s*"([^"\\]|\\.)*"(\s+"([^"\\]|\\.)*")*\s*', value):
                raise ValueError(value)
        except ValueError:
            return f"Invalid Resource Record: 'FATAL problem: invalid value ({value}) for {kind}'"
    if len(set(values)) < len(values):
        return f"Duplicate Resource Record: '{values}'"
    return None


def refuse_what_aws_refuses(route53):
    change = route53._change_resource_record_sets

    def change_resource_record_sets(zone_id, body):
        zone = route53._zones.get(zone_id)
        if zone is None:
            return change(zone_id, body)
        faults, seen = [], set()
        after = {(normal(each["Name"]), each["Type"], each.get("SetIdentifier", "")): each for each in route53._records[zone_id]}
        for action, record in changes_in(route53, body):
            key = (normal(record["Name"]), record["Type"], record.get("SetIdentifier", ""))
            if key[:2] in protections.get(zone_id, {}):
                comment = protections[zone_id][key[:2]]
                faults.append(f"The resource record set [name='{record['Name']}', type='{record['Type']}'] is protected ({comment})")
            if key in seen:
                faults.append(f"Duplicate change of [name='{record['Name']}', type='{record['Type']}']")
            seen.add(key)
            if action == "DELETE":
                after.pop(key, None)
                continue
            faults += [fault for fault in [fault_of(zone["name"], record)] if fault]
            after[key] = record
        for name in {key[0] for key in after}:
            there = [each for key, each in after.items() if key[0] == name]
            if any(each["Type"] == "CNAME" for each in there) and len({each["Type"] for each in there}) > 1:
                faults.append(f"RRSet of type CNAME with DNS name {name}. is not permitted because a conflicting RRSet exists")
        if faults:
            return route53._error_response("InvalidChangeBatch", "[" + ", ".join(faults) + "]")
        return change(zone_id, body)

    route53._change_resource_record_sets = change_resource_record_sets


# ── Protections ────────────────────────────────────────────────────────────


def answer_protections(route53):
    def entries(body):
        root = route53._parse_body(body)
        listed = None if root is None else route53._find(root, "Protections")
        for each in [] if listed is None else list(listed):
            key = (normal(route53._text(each, "RecordName")), route53._text(each, "RecordType"))
            yield key, route53._text(each, "Comment")

    def create(zone_id, body):
        there = protections.setdefault(zone_id, {})
        wanted = list(entries(body))
        doubled = [key for key, _ in wanted if key in there]
        if doubled:
            code = "ProtectionAlreadyExists" if len(doubled) == len(wanted) else "InvalidResourceRecordSetProtectionBatch"
            return route53._error_response(code, f"a protection exists for {doubled}")
        there.update(wanted)
        return route53._xml_response("CreateResourceRecordSetProtectionsResponse", lambda root: None)

    def delete(zone_id, body):
        there = protections.setdefault(zone_id, {})
        unwanted = [key for key, _ in entries(body)]
        missing = [key for key in unwanted if key not in there]
        if missing:
            return route53._error_response("InvalidResourceRecordSetProtectionBatch", f"no protection exists for {missing}")
        for key in unwanted:
            del there[key]
        return route53._xml_response("DeleteResourceRecordSetProtectionsResponse", lambda root: None)

    def listed(zone_id, query_params):
        first = query_params.get("startrecordname", query_params.get("name", ""))
        start = normal((first[0] if isinstance(first, list) else first) or "")

        def order(name):
            return tuple(reversed(name.split(".")))

        def build(root):
            box = SubElement(root, "ResourceRecordSetProtections")
            for (name, kind), comment in sorted(protections.get(zone_id, {}).items(), key=lambda item: (order(item[0][0]), item[0][1])):
                if not start or order(name) >= order(start):
                    each = SubElement(box, "ResourceRecordSetProtection")
                    SubElement(each, "RecordName").text = name + "."
                    SubElement(each, "RecordType").text = kind
                    SubElement(each, "Comment").text = comment

        return route53._xml_response("ListResourceRecordSetProtectionsResponse", build)

    handle = route53.handle_request

    async def handle_request(method, path, headers, body, query_params):
        action = protecting(method, path)
        if not action:
            return await handle(method, path, headers, body, query_params)
        zone_id = PROTECTION_PATH.match(path).group(1)
        if zone_id not in route53._zones:
            return route53._error_response("NoSuchHostedZone", f"No hosted zone found with ID: {zone_id}", 404)
        if action.startswith("List"):
            return listed(zone_id, query_params)
        return (create if action.startswith("Create") else delete)(zone_id, body)

    route53.handle_request = handle_request


# ── Load balancers ─────────────────────────────────────────────────────────


def name_network_balancers(alb):
    """The ARN of a network load balancer has net/ where the emulator has app/ for every kind, and ends in sixteen hexadecimal digits."""
    create = alb._create_lb

    def create_lb(params):
        before = set(alb._lbs)
        status, headers, body = create(params)
        text = body if isinstance(body, str) else body.decode()
        for arn in set(alb._lbs) - before:
            if alb._lbs[arn].get("Type") == "network" and ":loadbalancer/app/" in arn:
                head, _, tail = arn.replace(":loadbalancer/app/", ":loadbalancer/net/").rpartition("/")
                right = f"{head}/{hashlib.sha256(tail.encode()).hexdigest()[:16]}"
                alb._lbs[right] = {**alb._lbs.pop(arn), "LoadBalancerArn": right}
                for table in (alb._lb_attrs, alb._tags):
                    if arn in table:
                        table[right] = table.pop(arn)
                text = text.replace(arn, right)
        return status, headers, text if isinstance(body, str) else text.encode()

    replace_in_tables(alb, "CreateLoadBalancer", create, create_lb)


def replace_in_tables(alb, action, before, after):
    for table in vars(alb).values():
        if isinstance(table, dict) and table.get(action) is before:
            table[action] = after


def tell_health(alb):
    describe = alb._describe_target_health

    def describe_target_health(params):
        status, headers, body = describe(params)
        try:
            with open(os.environ["LIFEBOAT_TARGET_HEALTH"], encoding="utf-8") as file:
                states = json.load(file)
        except (KeyError, FileNotFoundError):
            return status, headers, body
        text = body if isinstance(body, str) else body.decode()
        for target, state in states.items():
            one = re.compile(rf"(<Target><Id>{re.escape(target)}</Id>.*?<State>)healthy(</State>)", re.S)
            text = one.sub(rf"\g<1>{state}\g<2>", text)
        return status, headers, text if isinstance(body, str) else text.encode()

    replace_in_tables(alb, "DescribeTargetHealth", describe, describe_target_health)


def repair():
    """Puts all of the above in the place of what the emulator has."""
    from ministack.core import iam_actions, iam_evaluator
    from ministack.services import alb, route53

    judge_by_what_is_changed(route53, iam_actions, iam_evaluator)
    refuse_what_aws_refuses(route53)
    answer_protections(route53)
    name_network_balancers(alb)
    tell_health(alb)
