import { X509Certificate, createPrivateKey } from 'node:crypto';
import { z } from 'zod';

const pem = (label: string) =>
  z.string().refine((text) => new RegExp(`-----BEGIN ${label}-----[\\s\\S]+-----END ${label}-----`).test(text), {
    message: `is not a PEM ${label.toLowerCase()}`,
  });

const pairOf = (cert: string, key: string): boolean => new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));

function parses(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch {
    return false; // OpenSSL's message says nothing to an operator
  }
}

/** The secret by which the functions reach etcd: PEM texts of the etcd CA (or a bundle), a client certificate and its key. */
export const EtcdClientSecret = z
  .object({
    ca: pem('CERTIFICATE').refine((text) => parses(() => new X509Certificate(text)), {
      message: 'is a PEM certificate that cannot be read',
    }),
    cert: pem('CERTIFICATE').refine((text) => parses(() => new X509Certificate(text)), {
      message: 'is a PEM certificate that cannot be read',
    }),
    key: pem('(?:RSA |EC )?PRIVATE KEY').refine((text) => parses(() => createPrivateKey(text)), {
      message: 'is a PEM private key that cannot be read: give it unencrypted',
    }),
  })
  .refine(({ cert, key }) => !parses(() => pairOf(cert, key)) || pairOf(cert, key), {
    path: ['key'],
    message: 'is not the private key of cert',
  });
export type EtcdClientSecret = z.infer<typeof EtcdClientSecret>;

export const etcdClientSecretName = (cluster: string): string => `lifeboat/${cluster}/etcd-client`;
