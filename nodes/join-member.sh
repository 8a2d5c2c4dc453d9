#!/usr/bin/env bash
# Starts this node's etcd with an empty disk as a member that the cluster has added already. Needs `leave` first: it never stops a member.
# shellcheck source-path=SCRIPTDIR
. "${BASH_SOURCE%/*}/library.sh"

begin_change

if [ "$etcd_runs" != static-pod ]; then
  fail SystemdJoinUnsupported 'the flags of etcd.service are not changed by this document' \
    "set ETCD_INITIAL_CLUSTER=$LIFEBOAT_INITIAL_CLUSTER and ETCD_INITIAL_CLUSTER_STATE=existing, then start etcd.service"
fi
case ",$LIFEBOAT_INITIAL_CLUSTER," in
  *",$etcd_name=$(first_of "$etcd_peer_urls"),"*) ;;
  *)
    fail NotInInitialCluster "$etcd_name=$etcd_peer_urls is not part of $LIFEBOAT_INITIAL_CLUSTER" \
      'give initialCluster as etcdctl member add prints it, with the name and the peer URL that facts shows of this node'
    ;;
esac

# From here on the directory beside the manifest is this member's own: a second run only starts it.
if [ ! -e "$record/joined" ]; then
  find_etcd_process
  if [ -n "$REPLY" ]; then
    fail MemberIsLive "etcd (process $REPLY) runs on this node" 'run leave first, and only when the cluster has removed this member'
  fi
  put_away etcd.yaml
  if [ -e "$live" ]; then
    if [ -e "$old" ]; then
      fail DataUnclear "$live is there although $old was set aside already" "look into $live and move it away"
    fi
    rename "$live" "$old"
  fi
  file=$manifests/etcd.yaml
  if [ ! -e "$record/etcd.yaml.before" ]; then
    cp -p -- "$file" "$record/etcd.yaml.before.part"
    sync -- "$record/etcd.yaml.before.part"
    rename "$record/etcd.yaml.before.part" "$record/etcd.yaml.before"
  fi
  sed -e '/--initial-cluster-state=/d' \
    -e "s|^\( *- *\)[\"']\{0,1\}--initial-cluster=.*|\1--initial-cluster=$LIFEBOAT_INITIAL_CLUSTER\n\1--initial-cluster-state=existing|" \
    "$record/etcd.yaml.before" >"$record/etcd.yaml.part"
  chmod --reference="$record/etcd.yaml.before" "$record/etcd.yaml.part"
  sync -- "$record/etcd.yaml.part"
  rename "$record/etcd.yaml.part" "$file"
  write_file "$record/purpose" replace
  write_file "$record/joined" "$LIFEBOAT_INITIAL_CLUSTER"
fi
make_dir "$live"
give_to_etcd "$live"
start_etcd

succeed now "$(what_is_there)" seconds "$SECONDS"
