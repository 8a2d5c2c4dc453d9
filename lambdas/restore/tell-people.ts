import type { Telemetry } from '../backup/edges';
import { messageOf } from '../contract/lifeboat-error';

export interface TellingEdges {
  /** Undefined where the config names nobody. */
  readonly tell: ((subject: string, message: string) => Promise<void>) | undefined;
  readonly telemetry: Pick<Telemetry, 'warn'>;
}

/** What a runbook has to say lies in S3 too, so a topic that refuses is told to the log and ends nothing. */
export async function tellPeople({ tell, telemetry }: TellingEdges, subject: string, message: string): Promise<{ readonly told: boolean }> {
  if (tell === undefined) return { told: false };
  try {
    await tell(subject, message);
    return { told: true };
  } catch (error) {
    telemetry.warn('nobody-told', { because: messageOf(error) });
    return { told: false };
  }
}
