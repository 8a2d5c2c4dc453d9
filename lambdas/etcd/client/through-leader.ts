import { messageOf } from '../../contract/lifeboat-error';
import { knowsLeader } from '../cluster-view';
import type { EtcdClientSecret } from '../../contract/secrets';
import { EtcdUnreachable } from '../errors';
import { refusalOf } from './member-errors';
import type { StatusAnswer } from './status-call';
import { STATUS } from './status-call';
import { openChannel } from './unary-call';

const STATUS_MS = 3_000;

export interface Leaders {
  /**
   * Does something through a member that has a leader, the leader itself first. A member that was cut off still names a leader for the time of an
   * election: when nothing comes of it there, the next one is tried.
   *
   * @throws EtcdUnreachable when no member has a leader, and the error of etcd
   */
  through<T>(change: (endpoint: string) => Promise<T>): Promise<T>;
  close(): void;
}

type Answer = { readonly endpoint: string } & ({ readonly status: StatusAnswer } | { readonly because: string });

export function openLeaders(endpoints: readonly string[], secret: EtcdClientSecret): Leaders {
  const channels = endpoints.map((endpoint) => ({ endpoint, channel: openChannel(endpoint, secret) }));
  const ask = async ({ endpoint, channel }: (typeof channels)[number]): Promise<Answer> => {
    try {
      return { endpoint, status: await channel.call(STATUS, undefined, STATUS_MS) };
    } catch (error) {
      return { endpoint, because: messageOf(error) };
    }
  };
  return {
    through: async (change) => {
      const answers = await Promise.all(channels.map(ask));
      const able = answers.flatMap((each) => ('status' in each && hasLeader(each.status) ? [each] : []));
      const leaderFirst = able.toSorted((a, b) => Number(leads(b.status)) - Number(leads(a.status)));
      let failure: unknown;
      for (const { endpoint } of leaderFirst) {
        try {
          return await change(endpoint);
        } catch (error) {
          const why = refusalOf(messageOf(error))?.why ?? 'no-quorum';
          if (why !== 'no-quorum') throw error;
          failure = error;
        }
      }
      if (failure instanceof Error) throw failure;
      const told = answers.map((each) => `${each.endpoint} ${'status' in each ? leaderWords(each.status) : each.because}`);
      throw new EtcdUnreachable(`no member has a leader: ${told.join('; ')}`);
    },
    close: () => channels.forEach(({ channel }) => channel.close()),
  };
}

/** A learner answers nothing but reads of its own data (api/v3rpc/interceptor.go). */
const hasLeader = (status: StatusAnswer): boolean => knowsLeader(status) && !status.isLearner;
const leads = ({ id, leaderId }: StatusAnswer): boolean => id === leaderId;
const leaderWords = ({ isLearner }: StatusAnswer): string => (isLearner ? 'is a learner' : 'knows no leader');
