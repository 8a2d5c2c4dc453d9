#!/usr/bin/env bash
# Part of every node document: whether kube-apiserver serves, asked of itself.
# shellcheck disable=SC2034,SC2154 # names are shared with the other parts

# Whoever asks gets 403 until the API server has read its RBAC rules. Where it stays longer, /readyz is not for anonymous requests.
FORBIDDEN_SECONDS=15

# ask_apiserver: apiserver_process is its id; apiserver_ready is true, false, or null where it cannot be told; apiserver_status the HTTP
# status, or nothing; apiserver_because what is in the way.
# Its certificate is not verified: it names the addresses that clients use, and the one that is asked here need not be among them. No secret
# is sent, and what the answer decides is only how long to wait.
ask_apiserver() {
  local answer code=0
  find_apiserver_process
  apiserver_process=$REPLY apiserver_ready=false apiserver_status='' apiserver_because='it does not run'
  if [ -z "$apiserver_process" ]; then return 0; fi
  # Run by something else than a manifest, it serves somewhere.
  if [ -z "$apiserver_serves_at" ]; then
    apiserver_ready=null
    return 0
  fi
  apiserver_because="nothing listens on $apiserver_serves_at"
  if ! command -v curl >/dev/null; then
    if listens "https://$apiserver_serves_at"; then apiserver_ready=null; fi
    return 0
  fi
  # It asks etcd twice and gives it 2 s each time (--etcd-healthcheck-timeout, --etcd-readycheck-timeout).
  answer=$(curl -q --insecure --silent --globoff --noproxy '*' --max-time 6 --write-out '\n%{http_code}' "https://$apiserver_serves_at/readyz?verbose") || code=$?
  apiserver_status=${answer##*$'\n'}
  case $apiserver_status in
    200) apiserver_ready=true apiserver_because='' ;;
    401 | 403) apiserver_ready=null apiserver_because="it answers $apiserver_status to anonymous requests" ;;
    000 | '') apiserver_because="nothing answers on $apiserver_serves_at (curl ended with $code)" ;;
    *) apiserver_because="it answers $apiserver_status, and these checks fail: $(failing_checks "$answer")" ;;
  esac
}

# failing_checks <answer>: the names in the lines `[-]etcd failed: reason withheld`.
failing_checks() {
  local names
  names=$(sed -n 's/^\[-\]\([^ ]*\) failed.*/\1/p' <<<"$1" | tr '\n' ' ' | cut -c -300)
  printf '%s' "${names:-none that it names}"
}

# apiserver_serves: whether waiting for it may end.
apiserver_serves() {
  ask_apiserver
  if [ "$apiserver_status" != 403 ]; then
    forbidden_since=''
    [ "$apiserver_ready" != false ]
    return
  fi
  forbidden_since=${forbidden_since:-$SECONDS}
  [ $((SECONDS - forbidden_since)) -ge "$FORBIDDEN_SECONDS" ]
}
