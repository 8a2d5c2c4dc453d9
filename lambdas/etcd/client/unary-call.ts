import { Client, credentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import type { EtcdClientSecret } from '../../contract/secrets';

/** A call of one message each way, by the path that gRPC knows it by. */
export interface UnaryMethod<Request, Answer> {
  readonly path: string;
  readonly encode: (request: Request) => Buffer;
  readonly decode: (message: Buffer) => Answer;
}

/** One member, for the calls that etcd3 cannot make or whose answers it cuts short. */
export interface MemberChannel {
  /** @throws ServiceError of gRPC, with etcd's own text in `details` */
  call<Request, Answer>(method: UnaryMethod<Request, Answer>, request: Request, deadlineMs: number): Promise<Answer>;
  close(): void;
}

/** @param endpoint `https://host:port` */
export function openChannel(endpoint: string, secret: EtcdClientSecret): MemberChannel {
  const tls = credentials.createSsl(Buffer.from(secret.ca), Buffer.from(secret.key), Buffer.from(secret.cert));
  const client = new Client(endpoint.replace(/^https:\/\//, ''), tls);
  return {
    call: <Request, Answer>({ path, encode, decode }: UnaryMethod<Request, Answer>, request: Request, deadlineMs: number) =>
      new Promise<Answer>((resolve, reject) => {
        const done = (error: ServiceError | null, answer?: Answer) => {
          if (answer !== undefined) resolve(answer);
          else reject(error ?? new Error(`${endpoint} answered ${path} with nothing`));
        };
        client.makeUnaryRequest(path, encode, decode, request, { deadline: Date.now() + deadlineMs }, done);
      }),
    close: () => client.close(),
  };
}
