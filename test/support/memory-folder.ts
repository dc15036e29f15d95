/**
 * Where the machine has room for it in memory (Linux), temporary folders of tests and of the processes that
 * they start are made there: an engine waits for the disk with each table that it creates or empties, and took
 * twice as long for an insert.
 */
import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

const IN_MEMORY = '/dev/shm';
/** Far more than some test files at once take; a container often has 64 MB in all. */
const NEEDED_BYTES = 2 ** 31;

/** For vitest's `globalSetup`. */
export default function useMemoryFolder(): (() => void) | undefined {
  if (process.env.TMPDIR || !hasRoom()) return undefined;
  const folder = mkdtempSync(join(IN_MEMORY, 'meterbridge-tests-'));
  // Like /tmp, open to other users: some tests run programs as one of them.
  chmodSync(folder, 0o755);
  process.env.TMPDIR = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

function hasRoom(): boolean {
  if (!existsSync(IN_MEMORY)) return false;
  const { bavail, bsize } = statfsSync(IN_MEMORY);
  return bavail * bsize >= NEEDED_BYTES;
}
