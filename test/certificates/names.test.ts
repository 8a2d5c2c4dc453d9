import fc from 'fast-check';
import { firstAddressOf, missingNames, namesOf } from '../../lambdas/certificates/names';

describe('namesOf', () => {
  test('tells addresses from names, each once and in one order', () => {
    const names = ['b.example.com', '10.0.0.2', 'A.example.com', '::1', '10.0.0.2', 'a.example.com', '0:0:0:0:0:0:0:1'];

    expect(namesOf(names)).toEqual({ dns: ['a.example.com', 'b.example.com'], ips: ['10.0.0.2', '::1'] });
  });

  test('never depends on the order that names come in', () => {
    const name = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
    fc.assert(fc.property(fc.array(name), (names) => expect(namesOf([...names].reverse())).toEqual(namesOf(names))));
  });
});

describe('missingNames', () => {
  test.each([
    ['an address written in another way', { dns: [], ips: ['2001:db8::1'] }, { dns: [], ips: ['2001:0DB8:0:0:0:0:0:1'] }, []],
    ['a name in other letters', { dns: ['api.example.com'], ips: [] }, { dns: ['API.example.com'], ips: [] }, []],
    ['names that are too many', { dns: [], ips: ['10.0.0.1'] }, { dns: ['old.example.com'], ips: ['10.0.0.1'] }, []],
    ['a name that is not there', { dns: ['a', 'b'], ips: ['10.0.0.1'] }, { dns: ['a'], ips: [] }, ['b', '10.0.0.1']],
    [
      'a wildcard, which is a name of its own',
      { dns: ['api.example.com'], ips: [] },
      { dns: ['*.example.com'], ips: [] },
      ['api.example.com'],
    ],
  ])('%s', (_sentence, wanted, there, missing) => {
    expect(missingNames(wanted, there)).toEqual(missing);
  });
});

describe('firstAddressOf', () => {
  test.each([
    ['10.96.0.0/12', '10.96.0.1'],
    ['10.100.3.9/16', '10.100.0.1'],
    ['172.20.0.128/25', '172.20.0.129'],
    ['fd00:10:96::/112', 'fd00:10:96::1'],
    [' 192.168.0.0/24', '192.168.0.1'],
  ])('%s begins with %s', (subnet, first) => {
    expect(firstAddressOf(subnet)).toBe(first);
  });

  test.each(['10.96.0.0', 'services', '10.96.0.0/40', ''])('refuses "%s" by name', (subnet) => {
    expect(() => firstAddressOf(subnet)).toThrow(`"${subnet}" is no subnet such as 10.96.0.0/12`);
  });
});
