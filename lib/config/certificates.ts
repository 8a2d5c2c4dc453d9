// The section `certificates` of lifeboat.json.
import { z } from 'zod';
import { subjectAlternativeNameMistake } from './addresses';
import { always, checkedText, list, oneOf, section, whole } from './fields';

/** A planned exchange of the cluster's authority takes a week, and people a week or two to approve. */
const LEAST_ROTATE_DAYS = 30;
const rotateBefore = (of: string) =>
  whole(`days before its end that the authority of ${of} is exchanged`, LEAST_ROTATE_DAYS, 5475).default(180);

const Authorities = section('the exchange of an authority that is near its end', {
  exchange: oneOf('who begins it: people, whom an alarm tells, or the daily look at the certificates', ['by-hand', 'scheduled']).default(
    'by-hand',
  ),
  approval: oneOf('whether people are asked before the old generation is distrusted, when the daily look began it', [
    'ask',
    'automatic',
  ]).default('ask'),
  rotateBeforeDays: section('how long before its end', {
    cluster: rotateBefore('the cluster'),
    etcd: rotateBefore('etcd'),
    frontProxy: rotateBefore('the front proxy'),
  }).prefault({}),
});

export const Certificates = section('how long certificates live', {
  leafValidityDays: whole('days that a leaf certificate is valid', 2, 825).default(90),
  renewBeforeDays: whole('days before its end that a leaf certificate is renewed', 1, 824).default(30),
  caValidityYears: whole('years that a CA certificate is valid', 1, 30).default(5),
  authorities: Authorities.prefault({}),
  extraSans: list('names', checkedText('an IP address or a DNS name that API certificates carry too', subjectAlternativeNameMistake), {
    min: 0,
  }).default([]),
}).superRefine(({ renewBeforeDays, leafValidityDays, caValidityYears, authorities }, context) => {
  checkRotateBefore(caValidityYears, authorities, context);
  if (!Number.isFinite(renewBeforeDays) || !Number.isFinite(leafValidityDays) || renewBeforeDays < leafValidityDays) return;
  const message = `${renewBeforeDays} is not less than leafValidityDays, ${leafValidityDays}; renew within the life of a certificate`;
  context.addIssue({ code: 'custom', path: ['renewBeforeDays'], message });
}, always);

/** Or every new generation would be near its end before long. */
function checkRotateBefore(years: unknown, authorities: unknown, context: z.RefinementCtx): void {
  const parsed = z.object({ rotateBeforeDays: z.record(z.string(), z.number()) }).safeParse(authorities);
  if (!parsed.success || typeof years !== 'number') return;
  const most = Math.floor((years * 365) / 2);
  for (const [name, days] of Object.entries(parsed.data.rotateBeforeDays))
    if (days > most) {
      const message = `${days} is more than half of caValidityYears, ${years}; use at most ${most}, or every new authority is soon exchanged again`;
      context.addIssue({ code: 'custom', path: ['authorities', 'rotateBeforeDays', name], message });
    }
}
