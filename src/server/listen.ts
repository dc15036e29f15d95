/** The application on a port. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { messageOf } from '../say-failure.js';
import type { App } from './app.js';

export interface Listening {
  /** e.g. `http://127.0.0.1:8787` */
  readonly url: string;
  /** Takes no new request, and lets those that run be answered, for at most 2 s. */
  close(): Promise<void>;
}

const LAST_ANSWERS_MS = 2_000;

/**
 * Puts an application on a port of this machine.
 *
 * @param app what answers
 * @param options `port` 0 is a free one; `host` is loopback unless it is said otherwise; `refuse` answers
 *   what is no request, e.g. one with an invalid Host, by default with a 400 without a body
 * @throws Error naming the port when it is taken.
 * @example
 * const { url, close } = await listen(app, { port: 0 });
 * await close();
 */
export async function listen(
  app: Pick<App, 'fetch'>,
  {
    port = 0,
    host = '127.0.0.1',
    refuse,
  }: { port?: number; host?: string; refuse?: (error: unknown) => Response } = {},
): Promise<Listening> {
  const options = { hostname: host, ...(refuse && { errorHandler: refuse }) };
  const server = createServer(getRequestListener(app.fetch, options)).listen(port, host);
  let isClosing = false;
  server.prependListener('request', (request, response) => {
    // A connection would outlive its answer, and bring the next request.
    response.once('finish', () => isClosing && request.socket.end());
  });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Error(`Cannot listen on port ${port}: ${messageOf(error)}`, { cause: error });
  }
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, 'close');
      isClosing = true;
      server.close();
      const late = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS);
      await closed;
      clearTimeout(late);
    },
  };
}
