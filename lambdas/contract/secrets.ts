import { z } from 'zod';

const pem = (label: string) =>
  z.string().refine((text) => new RegExp(`-----BEGIN ${label}-----[\\s\\S]+-----END ${label}-----`).test(text), {
    message: `is not a PEM ${label.toLowerCase()}`,
  });

/** The secret by which the functions reach etcd: PEM texts of the etcd CA (or a bundle), a client certificate and its key. */
export const EtcdClientSecret = z.object({
  ca: pem('CERTIFICATE'),
  cert: pem('CERTIFICATE'),
  key: pem('(?:RSA |EC )?PRIVATE KEY'),
});
export type EtcdClientSecret = z.infer<typeof EtcdClientSecret>;

export const etcdClientSecretName = (cluster: string): string => `lifeboat/${cluster}/etcd-client`;
