import { AUTHORITATIVE_ANSWER, TRUNCATED_RESPONSE, decode, encode } from 'dns-packet';
import type { Answer, Packet } from 'dns-packet';
import type { DnsAnswer, Line, Question } from './answer';

/** Without EDNS a client takes so many bytes by UDP (RFC 1035, 4.2.1). */
const MOST_UDP_BYTES = 512;
const CODES = { NOERROR: 0, FORMERR: 1, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

/** What a message is answered with; nothing where it is no question at all. */
export function respond(message: Buffer, transport: 'udp' | 'tcp', answer: (question: Question) => DnsAnswer): Buffer | undefined {
  let asked: Packet;
  try {
    asked = decode(message);
  } catch {
    return message.length < 12 ? undefined : encode({ type: 'response', id: message.readUInt16BE(0), flags: CODES.FORMERR });
  }
  const [question] = asked.questions ?? [];
  if (asked.type !== 'query' || question === undefined) return undefined;
  const given = answer({ name: question.name, type: question.type });
  const reply: Packet = {
    type: 'response',
    id: asked.id,
    flags: AUTHORITATIVE_ANSWER | ((asked.flags ?? 0) & 0x100) | CODES[given.code],
    questions: [question],
    // The name in the case in which it was asked for: some resolvers compare it.
    answers: given.answers.map((line, index) => recordOf(index === 0 ? { ...line, name: question.name } : line)),
    authorities: given.authority.map(recordOf),
  };
  const packed = encode(reply);
  if (transport === 'tcp' || packed.length <= MOST_UDP_BYTES) return packed;
  return encode({ ...reply, flags: (reply.flags ?? 0) | TRUNCATED_RESPONSE, answers: [], authorities: [] });
}

function recordOf({ name, type, ttl, value }: Line): Answer {
  switch (type) {
    case 'TXT': {
      const texts = [...value.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'));
      return { name, type, ttl, data: texts };
    }
    case 'SOA': {
      const [mname = '', rname = '', serial, refresh, retry, expire, minimum] = value.split(/\s+/);
      const numbers = [serial, refresh, retry, expire, minimum].map(Number);
      const [one = 1, two = 7200, three = 900, four = 1_209_600, five = 86_400] = numbers;
      return { name, type, ttl, data: { mname, rname, serial: one, refresh: two, retry: three, expire: four, minimum: five } };
    }
    default:
      return { name, type: type as 'A' | 'AAAA' | 'CNAME' | 'NS', ttl, data: value.replace(/\.$/, '') };
  }
}
