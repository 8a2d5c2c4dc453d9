import { clientOf } from '../etcd/client';
import type { EtcdCluster, EtcdMember } from '../etcd/cluster';

const ASK_MS = 2_000;
/** An election takes four seconds at most, and etcd3 asks a member that failed it only after five. */
const SETTLED_AFTER_MS = 8_000;

/** Who of the members is down, and until which slot of the schedule. */
export class Members {
  private readonly down = new Map<EtcdMember, number>();
  private disturbedAt = 0;

  constructor(private readonly etcd: EtcdCluster) {}

  get all(): readonly EtcdMember[] {
    return this.etcd.members;
  }

  get hasQuorum(): boolean {
    return this.down.size * 2 < this.all.length;
  }

  /** Nobody is down, and nothing was done to anybody for a while. */
  isSettled(): boolean {
    return this.down.size === 0 && Date.now() > this.disturbedAt + SETTLED_AFTER_MS;
  }

  /** Something is done to a member, or was just now. */
  disturb(): void {
    this.disturbedAt = Date.now();
  }

  /** @param upAgainIn number of the slot before which it is started again */
  async kill(member: EtcdMember, upAgainIn: number): Promise<void> {
    this.disturb();
    this.down.set(member, upAgainIn);
    await member.kill();
  }

  /** Starts those whose time has come, and waits until all members serve. */
  async startDue(slot: number): Promise<void> {
    const due = [...this.down].filter(([, upAgainIn]) => upAgainIn <= slot).map(([member]) => member);
    if (due.length === 0) return;
    for (const member of due) {
      member.start();
      this.down.delete(member);
    }
    if (this.hasQuorum) await Promise.all(due.map((member) => member.ready()));
    this.disturb();
  }

  startAll(slot: number): Promise<void> {
    for (const member of this.down.keys()) this.down.set(member, slot);
    return this.startDue(slot);
  }

  /** The one that most of them call their leader; the first one while they have none. */
  async leader(): Promise<EtcdMember> {
    const [first] = this.all;
    if (first === undefined) throw new Error('a cluster without members has no leader');
    for (const member of this.all) {
      const client = clientOf({ endpoints: [member.clientUrl], credentials: this.etcd.credentials });
      try {
        const { header, leader } = await client.maintenance.status({ deadline: Date.now() + ASK_MS });
        if (header.member_id === leader) return member;
      } catch {
        // One that is down leads nobody.
      } finally {
        client.close();
      }
    }
    return first;
  }
}
