import type { AltNames } from './alt-names';
import { printName, textsOf } from './certificate-fields';
import { basicConstraintsOf, extendedUsagesOf, extensionOf, keyUsagesOf, subjectKeyIdOf, writtenAltNames } from './extensions';
import { printIp } from './ip-address';
import type { Finding, Rule } from './lint-rules';
import { when } from './lint-rules';
import { Oid } from './oids';
import { AUTHORITY_KEY_USAGE, LEAF_KEY_USAGE } from './profiles';

// What a certificate must be for the role it has: exactly that, since a usage too much is a right too much.

const list = (texts: readonly string[]): string => (texts.length === 0 ? 'none' : texts.join(', '));
const sorted = (texts: readonly string[]): string => list([...texts].sort());

const basicConstraints: Rule = {
  name: 'basic-constraints',
  check: ({ fields, expected }) => {
    if (expected === undefined) return [];
    const constraints = basicConstraintsOf(fields);
    if (constraints === undefined) return ['does not say whether it is an authority'];
    const wanted = expected.role === 'authority';
    return [
      ...when(constraints.isCa !== wanted, wanted ? 'is not an authority' : 'is an authority'),
      ...when(extensionOf(fields, Oid.basicConstraints)?.critical !== true, 'has basic constraints that are not critical'),
      ...when(constraints.pathLength !== undefined, 'limits how long its chains are, so that it cannot be cross-signed'),
    ];
  },
};

const keyUsage: Rule = {
  name: 'key-usage',
  check: ({ fields, expected }) => {
    if (expected === undefined) return [];
    const wanted = sorted(expected.role === 'authority' ? AUTHORITY_KEY_USAGE : LEAF_KEY_USAGE);
    const found = sorted(keyUsagesOf(fields));
    return [
      ...when(found !== wanted, `may be used for ${found}, and not for exactly ${wanted}`),
      ...when(extensionOf(fields, Oid.keyUsage)?.critical === false, 'has a key usage that is not critical'),
    ];
  },
};

const extendedKeyUsage: Rule = {
  name: 'extended-key-usage',
  check: ({ fields, expected }) => {
    if (expected === undefined) return [];
    const wanted = sorted(expected.role === 'leaf' ? expected.profile.eku : []);
    const found = sorted(extendedUsagesOf(fields));
    return when(found !== wanted, `is for ${found}, and not for exactly ${wanted}`);
  },
};

const subjectKeyId: Rule = {
  name: 'subject-key-id',
  check: ({ fields, expected }) =>
    expected === undefined ? [] : when((subjectKeyIdOf(fields)?.length ?? 0) === 0, 'has no id of its own key'),
};

const textOf = (names: AltNames | undefined): string => (names === undefined ? 'none' : sorted([...names.dns, ...names.ips]));

function written({ fields }: Finding): AltNames | undefined {
  const names = writtenAltNames(fields);
  return names && { dns: names.dns.map((name) => name.toString('latin1')), ips: names.ips.map(printIp) };
}

const profile: Rule = {
  name: 'profile',
  check: (finding) => {
    const { fields, expected } = finding;
    if (expected?.role !== 'leaf') return [];
    const { subject, sans } = expected.profile;
    const groups = subject.organization === undefined ? [] : [subject.organization];
    const [names, organizations] = [textsOf(fields.subject, Oid.commonName), textsOf(fields.subject, Oid.organization)];
    const same = list(names) === subject.commonName && list(organizations) === list(groups);
    const whole = fields.subject.attributes.length === 1 + groups.length;
    return [
      ...when(!same || !whole, `is for "${printName(fields.subject)}", and not for ${subject.commonName} of ${list(groups)}`),
      ...when(
        textOf(written(finding)) !== textOf(sans),
        `is for the names ${textOf(written(finding))}, and not for exactly ${textOf(sans)}`,
      ),
    ];
  },
};

export const PROFILE_RULES: readonly Rule[] = [basicConstraints, keyUsage, extendedKeyUsage, subjectKeyId, profile];
