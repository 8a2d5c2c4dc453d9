import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { archiveOf, filesOf } from '../../lambdas/certificates/archive';

const packed = async (fill: (tar: ReturnType<typeof pack>) => void): Promise<string> => {
  const tar = pack();
  fill(tar);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return gzipSync(Buffer.concat(chunks)).toString('base64');
};

describe('an archive of files', () => {
  test('gives back what went in', async () => {
    const files = new Map([
      ['pki/etcd/server.crt', 'a certificate'],
      ['pki/ca.crt', 'an authority'],
    ]);

    expect(await filesOf(await archiveOf(files), 'it')).toEqual(files);
  });

  test('is the same for the same files in another order', async () => {
    const files = [
      ['b', '2'],
      ['a', '1'],
    ] as const;

    expect(await archiveOf(new Map(files))).toBe(await archiveOf(new Map([...files].reverse())));
  });

  test('is read as tar writes it, with folders and a leading ./', async () => {
    const archive = await packed((tar) => {
      tar.entry({ name: './', type: 'directory' });
      tar.entry({ name: './pki/ca.crt' }, 'an authority');
    });

    expect(await filesOf(archive, 'it')).toEqual(new Map([['pki/ca.crt', 'an authority']]));
  });

  test.each<[string, () => Promise<string> | string, RegExp]>([
    [
      'a path that leads out',
      () => packed((tar) => tar.entry({ name: 'pki/../../shadow' }, 'x')),
      /it holds pki\/\.\.\/\.\.\/shadow, a file/,
    ],
    ['an absolute path', () => packed((tar) => tar.entry({ name: '/etc/shadow' }, 'x')), /it holds \/etc\/shadow/],
    [
      'a link',
      () => packed((tar) => tar.entry({ name: 'ca.crt', type: 'symlink', linkname: '/etc/shadow' })),
      /it holds ca\.crt, a symlink/,
    ],
    ['no gzip', () => Buffer.from('hello').toString('base64'), /is not an archive of plain files/],
    ['half of it', async () => (await packed((tar) => tar.entry({ name: 'a' }, 'x'.repeat(50_000)))).slice(0, 60), /is not an archive/],
    ['far too much', () => gzipSync(Buffer.alloc(16 * 1024 * 1024)).toString('base64'), /is not an archive of plain files/],
    ['nothing', () => '', /is not an archive of plain files/],
  ])('%s is refused by name, and never shown', async (_sentence, archive, message) => {
    await expect(filesOf(await archive(), 'what a node handed over')).rejects.toThrow(message);
    await expect(filesOf(await archive(), 'what a node handed over')).rejects.toMatchObject({ name: 'PkiUnusable' });
  });
});
