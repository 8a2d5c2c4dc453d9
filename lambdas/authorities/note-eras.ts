import type { ConditionalDocument, Telemetry } from '../backup/edges';
import { jsonOf, wrongFields } from '../contract/json';
import { messageOf } from '../contract/lifeboat-error';
import { PkiGenerations } from '../contract/pki-generations';
import type { Eras } from '../contract/pki-generations';

export interface ErasPlace {
  readonly cluster: string;
  /** `generations.json`. */
  readonly document: ConditionalDocument;
  readonly telemetry: Pick<Telemetry, 'log' | 'warn'>;
}

/** Each lost write means that another one succeeded, and there are seldom more than two writers. */
const TRIES = 6;

/**
 * Notes by which generations the cluster lives, if anything else is noted. It never throws: the secrets decide, and what could not be noted is noted
 * by the next change or the next daily look.
 *
 * @param eras what the secrets say. They are read after the document over which it is written, so that what is noted last is what was there last
 */
export async function noteEras({ cluster, document, telemetry }: ErasPlace, eras: () => Promise<Eras>, now: () => Date): Promise<void> {
  try {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const found = await document.read();
      const said = await eras();
      if (found === undefined && Object.keys(said).length === 0) return;
      const noted = found && parsed(cluster, found.text);
      if (noted !== undefined && !('wrong' in noted) && same(noted.eras, said)) return;
      const text = JSON.stringify({ version: 1, cluster, notedAt: now().toISOString(), eras: said } satisfies PkiGenerations);
      if ((await document.write(text, found?.etag)) !== undefined) {
        telemetry.log('generations-noted', { eras: said });
        return;
      }
    }
    telemetry.warn('generations-not-noted', { because: `others wrote ${TRIES} times in a row` });
  } catch (error) {
    telemetry.warn('generations-not-noted', { because: messageOf(error) });
  }
}

/** By which generations the cluster lives, as far as that is noted. It never throws: a snapshot is good, and a restore goes on, without it. */
export async function readEras({ cluster, document, telemetry }: ErasPlace): Promise<Eras> {
  try {
    const found = await document.read();
    if (found === undefined) return {};
    const noted = parsed(cluster, found.text);
    if (!('wrong' in noted)) return noted.eras;
    telemetry.warn('generations-unread', { because: noted.wrong });
  } catch (error) {
    telemetry.warn('generations-unread', { because: messageOf(error) });
  }
  return {};
}

function parsed(cluster: string, text: string): PkiGenerations | { readonly wrong: string } {
  const { data, error } = PkiGenerations.safeParse(jsonOf(text));
  if (error !== undefined) return { wrong: `does not parse (${wrongFields(error)})` };
  return data.cluster === cluster ? data : { wrong: `is of cluster ${data.cluster}` };
}

/** Whatever the order of its keys. */
const same = (one: Eras, other: Eras): boolean => {
  const text = (eras: Eras): string => JSON.stringify(Object.entries(eras).sort(([a], [b]) => (a < b ? -1 : 1)));
  return text(one) === text(other);
};
