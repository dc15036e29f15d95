import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Jupyter's side of the wire, as small as tests need it: starts the real kernel process and talks to it
 * over ZeroMQ, so that a test sees what a notebook would see, message by message.
 */

/** What Jupyter got for one cell. */
export interface CellResult {
  /** Content of the execute_reply: status, execution_count, and ename, evalue, traceback on an error. */
  readonly reply: Record<string, unknown>;
  /** All that was published for the cell, in order, without the status messages. */
  readonly published: readonly { readonly type: string; readonly content: Record<string, unknown> }[];
  /** The text of its streams. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** @default true */
  readonly stopOnError?: boolean;
}

export interface KernelClient {
  readonly process: ChildProcess;
  /** The kernel's process id. */
  readonly pid: number;
  /** Runs one cell to its end. */
  run(code: string, options?: RunOptions): Promise<CellResult>;
  /** Resolves when the kernel has published the given text for a cell that is running. */
  printed(text: string): Promise<void>;
  /** Sends any other request to the shell and gives the content of its reply. */
  request(type: string, content: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** Asks the kernel to end; resolves to its exit code. */
  shutdown(): Promise<number | null>;
  /** Closes the sockets and ends the process if it still runs. */
  close(): Promise<void>;
}

export const projectRoot = fileURLToPath(new URL('../../', import.meta.url));
const zeromq = createRequire(createRequire(import.meta.url).resolve('tslab/package.json'))(
  'zeromq',
) as ZeroMq;

interface Socket extends AsyncIterable<Buffer[]> {
  connect(address: string): void;
  send(parts: (string | Buffer)[]): Promise<void>;
  close(): void;
}
interface ZeroMq {
  Dealer: new () => Socket;
  Subscriber: new () => Socket & { subscribe(): void };
}
interface Message {
  readonly type: string;
  readonly parent: string | undefined;
  readonly content: Record<string, unknown>;
}
interface Pending {
  readonly published: { type: string; content: Record<string, unknown> }[];
  reply?: Record<string, unknown>;
  idle: boolean;
  readonly done: (result: Pending) => void;
}

export interface StartOptions {
  /** Added to the environment. */
  readonly env?: Record<string, string>;
  /** The project whose kernel is started. @default this one */
  readonly root?: string;
}

/** Starts a kernel and waits until it answers. */
export async function startKernel({
  env = {},
  root = projectRoot,
}: StartOptions = {}): Promise<KernelClient> {
  const folder = mkdtempSync(join(tmpdir(), 'kernel-client-'));
  const connection = await writeConnectionFile(folder);
  const child = spawn(
    process.execPath,
    [join(root, '.jupyter', 'kernel.cjs'), '--config-path', connection.file],
    {
      // Not the project's root: the kernel has to find it by itself.
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  return connectKernel(child, connection, folder);
}

export interface Connection {
  readonly file: string;
  readonly key: string;
  readonly ports: readonly number[];
}

/** Writes what tells a kernel its ports, as Jupyter does. */
export async function writeConnectionFile(folder: string): Promise<Connection> {
  const ports = await freePorts(5);
  const [shell_port, iopub_port, stdin_port, control_port, hb_port] = ports;
  const key = randomUUID();
  const file = join(folder, 'connection.json');
  writeFileSync(
    file,
    JSON.stringify({
      transport: 'tcp',
      ip: '127.0.0.1',
      signature_scheme: 'hmac-sha256',
      key,
      shell_port,
      iopub_port,
      stdin_port,
      control_port,
      hb_port,
    }),
  );
  return { file, key, ports };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

async function connectKernel(
  child: ChildProcess,
  connection: Connection,
  folder: string,
): Promise<KernelClient> {
  const { key, ports } = connection;
  const [shellPort, iopubPort, , controlPort] = ports;
  const shell = new zeromq.Dealer();
  const control = new zeromq.Dealer();
  const iopub = new zeromq.Subscriber();
  shell.connect(`tcp://127.0.0.1:${shellPort}`);
  control.connect(`tcp://127.0.0.1:${controlPort}`);
  iopub.connect(`tcp://127.0.0.1:${iopubPort}`);
  iopub.subscribe();

  const session = randomUUID();
  const pending = new Map<string, Pending>();
  const watchers = new Set<(message: Message) => void>();

  function settle(id: string | undefined, change: (request: Pending) => void): void {
    const request = id === undefined ? undefined : pending.get(id);
    if (!request) return;
    change(request);
    if (request.reply && request.idle) request.done(request);
  }
  const listening = [
    listen(shell, ({ parent, content }) =>
      settle(parent, (request) => Object.assign(request, { reply: content })),
    ),
    listen(control, ({ parent, content }) =>
      settle(parent, (request) => Object.assign(request, { reply: content })),
    ),
    listen(iopub, (message) => {
      const { type, parent, content } = message;
      for (const watch of watchers) watch(message);
      settle(parent, (request) => {
        if (type !== 'status') request.published.push({ type, content });
        else if (content.execution_state === 'idle') request.idle = true;
      });
    }),
  ];

  function send(socket: Socket, type: string, content: Record<string, unknown>): Promise<Pending> {
    const id = randomUUID();
    const header = {
      msg_id: id,
      msg_type: type,
      session,
      username: 'test',
      version: '5.3',
      date: new Date(),
    };
    const parts = [header, {}, {}, content].map((part) => JSON.stringify(part));
    const signature = createHmac('sha256', key).update(parts.join('')).digest('hex');
    return new Promise((done, failed) => {
      pending.set(id, { published: [], idle: false, done });
      socket.send(['<IDS|MSG>', signature, ...parts]).catch(failed);
    });
  }

  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  async function replyTo(type: string, content: Record<string, unknown>): Promise<Record<string, unknown>> {
    return (await send(shell, type, content)).reply ?? {};
  }

  // A subscriber that joins late misses what was published: ask until the answer's idle status comes through.
  await new Promise<void>((ready, died) => {
    child.once('exit', (code) => died(new Error(`The kernel ended at its start, exit code ${code}`)));
    const ask = setInterval(() => void send(shell, 'kernel_info_request', {}).then(answered), 50);
    const answered = () => {
      clearInterval(ask);
      ready();
    };
  });

  return {
    process: child,
    pid: child.pid ?? 0,
    async run(code, { stopOnError = true } = {}) {
      const request = { code, silent: false, store_history: true, stop_on_error: stopOnError };
      const { published, reply } = await send(shell, 'execute_request', request);
      const text = (name: string) =>
        published
          .filter(({ type, content }) => type === 'stream' && content.name === name)
          .map(({ content }) => content.text)
          .join('');
      return { reply: reply ?? {}, published, stdout: text('stdout'), stderr: text('stderr') };
    },
    printed: (text) =>
      new Promise((resolve) => {
        const watch = ({ type, content }: Message) => {
          if (type !== 'stream' || !String(content.text).includes(text)) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
      }),
    request: replyTo,
    async shutdown() {
      void send(control, 'shutdown_request', { restart: false });
      return exited;
    },
    async close() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
      for (const socket of [shell, control, iopub]) socket.close();
      await Promise.all(listening);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listen(socket: Socket, take: (message: Message) => void): Promise<void> {
  for await (const parts of socket) {
    const start = parts.findIndex((part) => part.toString() === '<IDS|MSG>') + 2;
    const [header, parent, , content] = parts.slice(start).map((part) => JSON.parse(part.toString()));
    take({ type: header.msg_type, parent: parent.msg_id, content });
  }
}
