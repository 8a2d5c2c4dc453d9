import { clientOf } from '../etcd/client';
import type { EtcdCluster, EtcdMember } from '../etcd/cluster';

const ASK_MS = 2_000;

/** Who of the members is down, and until which slot. */
export class Members {
  private readonly down = new Map<EtcdMember, number>();
  /** The last slot in which anything was done to a member: the ones after it may still see an election. */
  private disturbedIn = 0;

  constructor(private readonly etcd: EtcdCluster) {}

  get all(): readonly EtcdMember[] {
    return this.etcd.members;
  }

  get hasQuorum(): boolean {
    return this.down.size * 2 < this.all.length;
  }

  /** Nobody is down, and nothing was done to anybody in this slot or the one before. */
  quietIn(slot: number): boolean {
    return this.down.size === 0 && slot > this.disturbedIn + 1;
  }

  disturb(slot: number): void {
    this.disturbedIn = slot;
  }

  async kill(member: EtcdMember, slot: number, upAgainIn: number): Promise<void> {
    this.disturb(slot);
    this.down.set(member, upAgainIn);
    await member.kill();
  }

  /** Starts those whose time has come, and waits until all members serve. */
  async startDue(slot: number): Promise<void> {
    const due = [...this.down].filter(([, upAgainIn]) => upAgainIn <= slot).map(([member]) => member);
    if (due.length === 0) return;
    this.disturb(slot);
    for (const member of due) {
      member.start();
      this.down.delete(member);
    }
    if (this.hasQuorum) await Promise.all(due.map((member) => member.ready()));
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
