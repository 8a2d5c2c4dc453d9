import type { ApiRecordSettings, ProbeAnswer, ProbeReport, ProbeRequest } from '../contract/api-record';
import type { Candidate, FoundTarget } from './find-target';
import type { ZoneFacts } from './zone';

export interface LookingEdges {
  /** Looks from beside the cluster. @throws FunctionCallFailed */
  readonly lookInside: (request: ProbeRequest) => Promise<ProbeReport>;
  /** Looks from here, by way of the zone's own name servers. */
  readonly lookOutside: (request: ProbeRequest, nameServers: readonly string[]) => Promise<ProbeReport>;
}

/** A candidate, and what it answered; nobody asked it where that is missing. */
export interface Seen extends Candidate {
  readonly answer: ProbeAnswer | undefined;
}
/** What the name itself leads to, and what answers there. */
export interface ByName {
  readonly answer: ProbeAnswer | undefined;
  readonly resolved: readonly string[] | undefined;
}
/** The two places from which one can look, each asked once for everything that is seen from there. */
export async function lookAll(
  edges: LookingEdges,
  { name, port, visibility }: ApiRecordSettings,
  { nameServers }: ZoneFacts,
  { candidates }: FoundTarget,
): Promise<{ readonly candidates: readonly Seen[]; readonly byName: ByName }> {
  const named = { host: name, port };
  const request = (inside: boolean): ProbeRequest => ({
    name,
    targets: [
      ...candidates.filter((each) => each.inside === inside).map(({ host, port: at }) => ({ host, port: at })),
      ...(byNameFrom(visibility) === inside ? [named] : []),
    ],
    resolve: byNameFrom(visibility) === inside,
  });
  const [inside, outside] = await Promise.all([
    request(true).targets.length === 0 ? EMPTY : edges.lookInside(request(true)),
    request(false).targets.length === 0 ? EMPTY : edges.lookOutside(request(false), nameServers),
  ]);
  const answers = [...inside.answers, ...outside.answers];
  const of = (host: string, at: number) => answers.find((answer) => answer.host === host && answer.port === at);
  return {
    candidates: candidates.map((candidate) => ({ ...candidate, answer: of(candidate.host, candidate.port) })),
    byName: { answer: of(name, port), resolved: inside.resolved ?? outside.resolved },
  };
}

const EMPTY: ProbeReport = { answers: [] };
/** A private zone is seen from inside its VPC alone. */
const byNameFrom = (visibility: ApiRecordSettings['visibility']): boolean => visibility === 'private';

export async function lookByName(
  edges: LookingEdges,
  { name, port, visibility }: ApiRecordSettings,
  { nameServers }: ZoneFacts,
): Promise<ByName> {
  const request = { name, targets: [{ host: name, port }], resolve: true };
  const report = byNameFrom(visibility) ? await edges.lookInside(request) : await edges.lookOutside(request, nameServers);
  return { answer: report.answers[0], resolved: report.resolved };
}
