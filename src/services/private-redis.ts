/**
 * A Redis server of our own: on a free loopback port, behind a password made for it, its data
 * in the workspace. It must outlive Jupyter's interrupt, which goes to the whole process group,
 * and must not outlive us, not even after kill -9: so it is started detached, under a guard.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { REDIS_PATIENCE } from './redis-patience.js';

export interface PrivateRedis {
  readonly client: Redis;
  /** Without the password. */
  readonly address: string;
  close(): Promise<void>;
}

/** Where set-up puts a server binary when the system has none. */
const PROJECT_BINARIES = fileURLToPath(new URL('../../.jupyter/env/bin', import.meta.url));

/** The server binary on the search path, else the project's own, else undefined. */
export function findRedisServer(searchPath: string): string | undefined {
  return [...searchPath.split(delimiter), PROJECT_BINARIES]
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'redis-server'))
    .find(isExecutable);
}

/*
 * The guard: the server in the background, and a `cat` that waits on a pipe from us. When the
 * pipe closes, whatever the cause, `cat` ends and the guard ends the server.
 */
const GUARD = '"$@" & server=$!; cat >/dev/null; kill $server 2>/dev/null; wait $server';

/** Free ports can be taken between the look and the start; each try looks anew. */
const TRIES = 5;

/**
 * @param folder the server's data and log go here
 * @throws Error with the server's own words when it does not start.
 */
export async function startPrivateRedis(binary: string, folder: string): Promise<PrivateRedis> {
  mkdirSync(folder, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(binary, folder);
    } catch (error) {
      if (attempt === TRIES || !/Address already in use/.test(String(error))) throw error;
    }
  }
}

async function startOnce(binary: string, folder: string): Promise<PrivateRedis> {
  const port = await freePort();
  const password = randomBytes(16).toString('hex');
  const config = join(folder, 'redis.conf');
  const log = join(folder, 'redis.log');
  const lines = [
    `bind 127.0.0.1`,
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${quoted(folder)}`,
    `logfile ${quoted(log)}`,
    'appendonly yes',
    'save ""',
    'maxmemory-policy noeviction',
  ];
  writeFileSync(log, '');
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o600 });
  const guard = spawn('sh', ['-c', GUARD, 'guard', binary, config], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  try {
    await listening(guard, log);
  } catch (error) {
    await end(guard);
    throw error;
  }
  guard.unref();
  (guard.stdin as Socket).unref();
  const client = new Redis({ host: '127.0.0.1', port, password, ...REDIS_PATIENCE });
  client.on('error', ignoreRepeats);
  return {
    client,
    address: `redis://127.0.0.1:${port}`,
    async close() {
      client.disconnect();
      await end(guard);
    },
  };
}

/** The commands that fail carry the error to their callers; the client's event only repeats it. */
const ignoreRepeats = () => undefined;

/** A path as redis.conf reads it. */
const quoted = (path: string) => `"${path.replaceAll(/["\\]/g, '\\$&')}"`;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

/** Longest time that the server may take to read its data and listen. */
const START_MS = 10_000;

async function listening(guard: ChildProcess, log: string): Promise<void> {
  const failed = once(guard, 'error').then(([error]) => Promise.reject(error));
  failed.catch(() => undefined);
  const deadline = Date.now() + START_MS;
  for (;;) {
    const text = readFileSync(log, 'utf8');
    if (/Ready to accept connections/.test(text)) return;
    const fatal = /^.*(?:Address already in use|Fatal|FATAL|Bad file format|Can't|Failed).*$/m.exec(text);
    if (fatal || Date.now() > deadline) {
      throw new Error(`Cannot start redis-server: ${fatal?.[0].trim() ?? `no answer within ${START_MS} ms`}`);
    }
    // The log is all that the server gives; it is looked at again until it says one or the other.
    await Promise.race([failed, new Promise((resolve) => setTimeout(resolve, 10))]);
  }
}

async function end(guard: ChildProcess): Promise<void> {
  if (guard.exitCode !== null || guard.signalCode !== null) return;
  guard.ref();
  const exited = once(guard, 'exit');
  guard.stdin?.end();
  await exited;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
