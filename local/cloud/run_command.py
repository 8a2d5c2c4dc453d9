"""Systems Manager Run Command on the nodes of local/nodes, as repairs of the emulator that emulator.py starts.

What AWS does and the emulator does not: documents other than AWS-RunShellScript (it answers Success without running anything),
targets by tag, checks of parameters, cancelling, time limits, ListCommandInvocations. And it knows only instances with a container.

LIFEBOAT_NODES_FILE names the nodes; local/nodes/nodes-file.ts writes it and says what is in it. It is read for every call, so that nodes come and
go while the emulator runs: one that is not in it is unknown (InvalidInstanceId), one that is not online gets nothing (Undeliverable).
What a node ran when it went away is InProgress until it is back; AWS tells nothing else of it either.
"""

import inspect
import json
import os
import re
import signal
import subprocess
import threading
import time

import run_command_documents as documents
from run_command_documents import refuse, script_of, values_of, versions_of

LIST_OUTPUT_LIMIT = 2500
# By default what ListCommandInvocations gives on one page.
PAGE = 50
TERMINAL = ("Success", "Failed", "Cancelled", "TimedOut")

running = {}
running_lock = threading.Lock()


def nodes():
    try:
        with open(os.environ["LIFEBOAT_NODES_FILE"], encoding="utf-8") as file:
            return json.load(file)
    except (KeyError, FileNotFoundError):
        return {}


# ── Sending ────────────────────────────────────────────────────────────────


def with_targets(data):
    """The ids of the nodes that carry a tag, in the place of the tag. AWS takes a tag that no node carries; here it is refused."""
    known = nodes()
    ids = list(data.get("InstanceIds") or [])
    for target in data.get("Targets") or []:
        key, wanted = target.get("Key", ""), target.get("Values") or []
        if key.startswith("tag:"):
            ids += [each for each in known if known[each]["online"] and known[each]["tags"].get(key[4:]) in wanted]
        elif key.lower() == "instanceids":
            ids += wanted
    return {**data, "InstanceIds": list(dict.fromkeys(ids)), "Targets": []}


DIRECTORY = re.compile(r"(/[A-Za-z0-9._-]+)+")


def in_folder_of(node, content, given):
    """On AWS each node is a machine, and a document's own defaults say where things are on it; here a node is a folder."""
    declared = content.get("parameters") or {}
    defaults = {name: str(each["default"]) for name, each in declared.items() if name not in given and "default" in each}
    return {**given, **{name: [node["folder"] + path] for name, path in defaults.items() if DIRECTORY.fullmatch(path)}}


def send_command(ssm, send):
    def send_to_nodes(data):
        document = versions_of(data.get("DocumentName") or "")
        if not document and data.get("DocumentName") not in ssm._SHELL_DOCUMENTS:
            return refuse("InvalidDocument", f"document {data.get('DocumentName')} does not exist")
        if document:
            try:
                content = document["versions"][document["default"] - 1]
                script_of(content, values_of(content, data.get("Parameters") or {}))
            except ValueError as error:
                return refuse("InvalidParameters", str(error))
        if not 30 <= int(data.get("TimeoutSeconds", 3600)) <= 2592000:
            return refuse("ValidationException", "timeoutSeconds is between 30 and 2592000")
        return send(with_targets(data))

    return send_to_nodes


def argv_of(ssm, shell_argv):
    """What is handed on to `finish`: the script and its time limit; for AWS-RunShellScript as before."""

    def argv(data):
        document = versions_of(data.get("DocumentName") or "")
        if not document:
            script = shell_argv(data)[-1]
            return {"script": lambda _node: script, "seconds": 3600}
        content = document["versions"][document["default"] - 1]
        inputs = content["mainSteps"][0]["inputs"]
        given = data.get("Parameters") or {}
        return {"script": lambda node: script_of(content, values_of(content, in_folder_of(node, content, given))), "seconds": float(inputs.get("timeoutSeconds", 3600))}

    return argv


class KnownDocuments(set):
    """The emulator runs what is in its set of shell documents: all that were made here are."""

    def __contains__(self, name):
        return super().__contains__(name) or versions_of(name) is not None


# ── Running ────────────────────────────────────────────────────────────────


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run_on(node, command_id, invocation, script, seconds):
    """As the agent does: the script as a file, by the program that its first line names, in a session of its own.

    The file is read and not executed: one that another thread's new process still has open for writing cannot be.
    """
    file = os.path.join(node["runDir"], f"{command_id}.sh")
    group = os.path.join(node["runDir"], f"{command_id}.pid")
    interpreter = script.split("\n", 1)[0][2:].split() if script.startswith("#!") else ["/bin/sh"]
    with open(file, "w", encoding="utf-8") as text:
        text.write(script)
    process = subprocess.Popen(
        [*node["prefix"], *interpreter, file],
        cwd=node["folder"],
        env=node["env"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with open(group, "w", encoding="utf-8") as text:
        text.write(str(process.pid))
    with running_lock:
        running[(command_id, node["id"])] = process
        if invocation["Status"] == "Cancelling":
            end_group(process)
    timed_out = False
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        timed_out = True
        end_group(process)
        stdout, stderr = process.communicate()
    finally:
        with running_lock:
            running.pop((command_id, node["id"]), None)
        for each in (file, group):
            if os.path.exists(each):
                os.remove(each)
    code = process.returncode if process.returncode >= 0 else 128 - process.returncode
    return code, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"), timed_out


def when_back(instance_id):
    """The node as soon as its agent answers; None when it has left for good."""
    while True:
        node = nodes().get(instance_id)
        if node is None or node["online"]:
            return node
        time.sleep(0.05)


def run_to_its_end(command_id, instance_id, invocation, argv, node):
    """Runs the script; from its start again whenever the power of the node went away under it, as the agent does that finds it among what it had
    begun (amazon-ssm-agent: processInProgressDocuments). An agent that only lost its connection tells the end when it has it again.

    A cancellation that it did not hear keeps it from nothing: the agent begins what it had begun before it asks for anything new.
    """
    while node is not None:
        invocation.update(StatusDetails="InProgress", Status="InProgress")
        limit = min(argv["seconds"], node.get("secondsLimit", argv["seconds"]))
        ended = run_on({**node, "id": instance_id}, command_id, invocation, argv["script"](node), limit)
        began, node = node, when_back(instance_id)
        if node is not None and node.get("powerCuts", 0) == began.get("powerCuts", 0):
            return ended
    return None


def finish(ssm):
    def finish_invocation(command_id, instance_id, argv):
        record = ssm._commands.get(command_id)
        invocation = record["Invocations"][instance_id]
        node = nodes().get(instance_id)
        if node is None or not node["online"]:
            invocation.update(StatusDetails="Undeliverable", Status="Failed", ExecutionEndDateTime=ssm._now_iso())
            ssm._refresh_command_status(record)
            return
        invocation.update(ExecutionStartDateTime=ssm._now_iso())
        ended = run_to_its_end(command_id, instance_id, invocation, argv, node)
        if ended is None:
            return
        code, stdout, stderr, timed_out = ended
        invocation.update(
            ResponseCode=code,
            StandardOutputContent=stdout[: ssm._STDOUT_LIMIT],
            StandardErrorContent=stderr[: ssm._STDERR_LIMIT],
            ExecutionEndDateTime=ssm._now_iso(),
        )
        if invocation["Status"] == "Cancelling":
            ended = ("Cancelled", "Cancelled")
        elif timed_out:
            ended = ("TimedOut", "ExecutionTimedOut")
        else:
            ended = ("Success", "Success") if code == 0 else ("Failed", "Failed")
        # Last: whoever sees the end sees the output too.
        invocation["StatusDetails"] = ended[1]
        invocation["Status"] = ended[0]
        ssm._refresh_command_status(record)

    return finish_invocation


def cancel_command(ssm):
    from ministack.core.responses import json_response

    def cancel(data):
        record = ssm._commands.get(data.get("CommandId") or "")
        if not record:
            return refuse("InvalidCommandId", f"command {data.get('CommandId')} does not exist")
        for instance_id, invocation in record["Invocations"].items():
            if data.get("InstanceIds") and instance_id not in data["InstanceIds"]:
                continue
            if invocation["Status"] in TERMINAL:
                continue
            with running_lock:
                invocation.update(Status="Cancelling", StatusDetails="Cancelling")
                process = running.get((data["CommandId"], instance_id))
            # An agent that is away does not hear of it.
            if process and (nodes().get(instance_id) or {}).get("online"):
                end_group(process)
        return json_response({})

    return cancel


# ── Reading ────────────────────────────────────────────────────────────────


def page_of(ssm, data, entries, name, most):
    from ministack.core.responses import json_response

    start = ssm._decode_next_token(data["NextToken"]) if data.get("NextToken") else 0
    end = start + min(int(data.get("MaxResults") or most), most)
    more = {"NextToken": ssm._encode_next_token(end)} if end < len(entries) else {}
    return json_response({name: entries[start:end], **more})


def list_invocations(ssm):
    def list_command_invocations(data):
        found = []
        # Others send commands meanwhile.
        for record in list(ssm._commands.values()):
            for instance_id, invocation in list(record["Invocations"].items()):
                if data.get("CommandId") not in (None, record["CommandId"]) or data.get("InstanceId") not in (None, instance_id):
                    continue
                entry = {name: invocation[name] for name in ("CommandId", "InstanceId", "Comment", "DocumentName", "DocumentVersion", "Status", "StatusDetails")}
                entry["RequestedDateTime"] = record["RequestedDateTime"]
                if data.get("Details"):
                    output = invocation["StandardOutputContent"]
                    if invocation["StandardErrorContent"]:
                        output += "\n----------ERROR-------\n" + invocation["StandardErrorContent"]
                    plugin = {"Name": invocation["PluginName"], "Status": invocation["Status"], "StatusDetails": invocation["StatusDetails"]}
                    entry["CommandPlugins"] = [{**plugin, "ResponseCode": invocation["ResponseCode"], "Output": output[:LIST_OUTPUT_LIMIT]}]
                found.append(entry)
        return page_of(ssm, data, found, "CommandInvocations", PAGE)

    return list_command_invocations


def describe_instances(ssm):
    def describe_instance_information(data):
        found = []
        for instance_id, node in sorted(nodes().items()):
            status = "Online" if node["online"] else "ConnectionLost"
            facts = {"InstanceIds": instance_id, "PingStatus": status, **{f"tag:{key}": value for key, value in node["tags"].items()}}
            if all(facts.get(each["Key"]) in each["Values"] for each in data.get("Filters") or []):
                entry = {"InstanceId": instance_id, "PingStatus": status, "PlatformType": "Linux", "ResourceType": "EC2Instance"}
                found.append({**entry, "ComputerName": os.path.basename(node["folder"]), "IPAddress": node["address"], "LastPingDateTime": ssm._now_epoch()})
        return page_of(ssm, data, found, "InstanceInformationList", PAGE)

    return describe_instance_information


def judge_the_document(extract):
    """A role may send certain documents: AWS judges SendCommand by the document's ARN, the emulator by `*`, which no such grant matches."""

    def extract_resource_arn(service, *args, **kwargs):
        arn = extract(service, *args, **kwargs)
        given = inspect.signature(extract).bind(service, *args, **kwargs).arguments
        if service != "ssm" or not given["headers"].get("x-amz-target", "").endswith(".SendCommand"):
            return arn
        name = json.loads(given["body"] or b"{}").get("DocumentName", "")
        return name if name.startswith("arn:") else f"arn:aws:ssm:{given['region']}:{given['account_id']}:document/{name}"

    return extract_resource_arn


def repair():
    """Puts all of the above in the place of what the emulator has; state machines come the same way."""
    from ministack.core import iam_actions
    from ministack.services import ssm, stepfunctions

    iam_actions.extract_resource_arn = judge_the_document(iam_actions.extract_resource_arn)
    ssm._managed_instance_ids = lambda: set(nodes())
    ssm._SHELL_DOCUMENTS = KnownDocuments(ssm._SHELL_DOCUMENTS)
    ssm._shell_argv = argv_of(ssm, ssm._shell_argv)
    ssm._send_command = send_command(ssm, ssm._send_command)
    ssm._finish_invocation = finish(ssm)
    ssm._describe_instance_information = describe_instances(ssm)
    added = {
        **documents.ACTIONS,
        "CancelCommand": cancel_command(ssm),
        "ListCommandInvocations": list_invocations(ssm),
    }
    handle = ssm.handle_request

    async def handle_request(method, path, headers, body, query_params):
        action = headers.get("x-amz-target", "").split(".")[-1]
        if action in added:
            return added[action](json.loads(body or b"{}"))
        return await handle(method, path, headers, body, query_params)

    ssm.handle_request = handle_request
    # Step Functions names errors by the exceptions of the SDK for Java.
    stepfunctions._AWS_SDK_ERROR_CODE_OVERRIDES.setdefault("ssm", {})["InvalidInstanceId"] = "InvalidInstanceIdException"
