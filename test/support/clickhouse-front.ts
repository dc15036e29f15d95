/**
 * A ClickHouse server for tests: the HTTP interface that the client speaks, in front of the
 * embedded engine, on a loopback port, with faults on demand. Settings and parameters count
 * for one request, as on a server; the engine's own session would keep them.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';

/** What may go wrong with a request that stores something. */
export type Fault =
  /** The connection is closed before anything is read. */
  | 'refuse'
  /** It is stored, and then answered with a 500. */
  | '500-after-storing'
  /** It is stored, and then the connection is cut in the middle of the answer. */
  | 'cut-after-storing'
  /** Nothing is stored and the answer is a 500. */
  | '500'
  /** It is stored, and the answer waits until `release()`. */
  | 'slow';

export interface ClickHouseFront {
  readonly url: string;
  /** Faults of the next inserts, in order; then all go well again. */
  readonly faults: Fault[];
  /** Inserts that arrived, refused ones included. */
  inserts(): number;
  /** Lets answers go that a `slow` fault holds back. */
  release(): void;
  close(): Promise<void>;
}

export interface ClickHouseFrontOptions {
  /** The engine's data folder. */
  readonly path: string;
  /** @default any */
  readonly password?: string;
  readonly port?: number;
}

interface Engine {
  queryAsync(sql: string, options?: object): Promise<{ bytes(): Uint8Array }>;
  queryBindAsync(sql: string, parameters: object, options?: object): Promise<{ bytes(): Uint8Array }>;
  close(): void;
}

/** Parameters of the URL that are no settings. */
const NOT_SETTINGS = new Set(['query', 'query_id', 'database', 'default_format', 'session_id', 'role']);

/** Settings of the HTTP layer, which the embedded engine does not know. */
const HTTP_SETTINGS = /^(wait_end_of_query|enable_http_compression|http_|send_progress_in_http_headers)/;

/** @example const front = await startClickHouseFront({ path: join(folder, 'clickhouse') }); */
export async function startClickHouseFront(options: ClickHouseFrontOptions): Promise<ClickHouseFront> {
  const { path, password, port = 0 } = options;
  const { Session } = createRequire(import.meta.url)('chdb') as { Session: new (path: string) => Engine };
  const engine = new Session(path);
  const faults: Fault[] = [];
  let inserts = 0;
  let held: (() => void)[] = [];
  // The engine's one session: settings of one request must not meet the statement of another.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  };

  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(error instanceof Error ? error.message : String(error));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://front');
    if (url.pathname === '/ping') return void response.end('Ok.\n');
    const body = await bodyOf(request);
    if (password !== undefined && passwordOf(request) !== password) {
      response.writeHead(403, { 'x-clickhouse-exception-code': '516' });
      return void response.end(
        'Code: 516. DB::Exception: default: Authentication failed. (AUTHENTICATION_FAILED)',
      );
    }
    const statement = [url.searchParams.get('query'), body].filter((part) => part).join('\n');
    const isInsert = /^\s*INSERT/i.test(statement);
    if (isInsert) inserts += 1;
    const fault = isInsert ? faults.shift() : undefined;
    if (fault === 'refuse') return void request.socket.destroy();
    if (fault === '500') throw new Error('Code: 999. DB::Exception: fault on demand. (KEEPER_EXCEPTION)');
    // Held from its arrival on, so that no release() comes too early for it.
    const release = fault === 'slow' ? new Promise<void>((resolve) => held.push(resolve)) : undefined;
    const result = await inTurn(() => run(engine, url.searchParams, statement));
    if (fault === '500-after-storing') {
      throw new Error('Code: 999. DB::Exception: fault on demand after storing. (KEEPER_EXCEPTION)');
    }
    if (fault === 'cut-after-storing') {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('half');
      return void setImmediate(() => request.socket.destroy());
    }
    await release;
    response.setHeader('x-clickhouse-summary', '{"written_rows":"0"}');
    response.end(result);
  }

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : port}`,
    faults,
    inserts: () => inserts,
    release: () => {
      for (const go of held) go();
      held = [];
    },
    close: () => closed(server, engine),
  };
}

async function run(engine: Engine, parameters: URLSearchParams, statement: string): Promise<Uint8Array> {
  const settings = [...parameters].filter(
    ([name]) => !NOT_SETTINGS.has(name) && !name.startsWith('param_') && !HTTP_SETTINGS.test(name),
  );
  const bound = Object.fromEntries(
    [...parameters].flatMap(([name, value]) => (name.startsWith('param_') ? [[name.slice(6), value]] : [])),
  );
  const format = parameters.get('default_format') ?? 'TabSeparated';
  const database = parameters.get('database');
  if (database) await engine.queryAsync(`USE ${database}`);
  for (const [name, value] of settings)
    await engine.queryAsync(`SET ${name} = '${value.replaceAll("'", "''")}'`);
  try {
    const result =
      Object.keys(bound).length > 0
        ? await engine.queryBindAsync(statement, bound, { format })
        : await engine.queryAsync(statement, { format });
    return result.bytes();
  } finally {
    for (const [name] of settings) await engine.queryAsync(`SET ${name} = DEFAULT`);
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function passwordOf(request: IncomingMessage): string {
  const [, basic = ''] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(basic, 'base64').toString('utf8')) ?? [];
  return password;
}

async function closed(server: Server, engine: Engine): Promise<void> {
  const ended = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await ended;
  engine.close();
}
