import fs from 'node:fs';
import path from 'node:path';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function holderIsAlive(lock) {
  try {
    process.kill(Number(fs.readFileSync(path.join(lock, 'pid'), 'utf8')), 0);
    return true;
  } catch (error) {
    // No pid yet: whoever made the folder is about to write it, unless the folder is old.
    if (error.code === 'ENOENT') return fs.existsSync(lock) && Date.now() - fs.statSync(lock).mtimeMs < 5000;
    return error.code === 'EPERM';
  }
}

/** Runs `work` while no other set-up on this machine holds the same lock; a lock whose holder died is taken over. */
export async function withLock(lock, work) {
  fs.mkdirSync(path.dirname(lock), { recursive: true });
  for (;;) {
    try {
      fs.mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (!holderIsAlive(lock)) fs.rmSync(lock, { recursive: true, force: true });
      else await sleep(200);
    }
  }
  fs.writeFileSync(path.join(lock, 'pid'), String(process.pid));
  try {
    return await work();
  } finally {
    fs.rmSync(lock, { recursive: true, force: true });
  }
}
