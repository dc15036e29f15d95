import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLocalStripe } from '../../../src/local-stripe/create-local-stripe.js';
import { refuseRequest } from '../../../src/local-stripe/http/handle-request.js';
import { type Listening, listen } from '../../../src/server/listen.js';

let server: Listening;
beforeEach(async () => {
  server = await listen(createLocalStripe(), { refuse: refuseRequest });
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});
afterEach(async () => {
  await server.close();
  vi.restoreAllMocks();
});

/** Sends bytes as they are. */
async function send(...lines: string[]) {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(lines.join('\r\n'));
  return socket;
}

describe('a request', () => {
  it.each(['a b', 'x/y', '[', 'a@b', '%'])('with the host %j gets an error envelope', async (host) => {
    const socket = await send('GET /v1/customers HTTP/1.1', `Host: ${host}`, 'Connection: close', '', '');
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1))).toMatchObject({
      error: { type: 'invalid_request_error' },
    });
    expect(console.error).not.toHaveBeenCalled();
  });

  it('whose client hangs up prints nothing, and does nothing', async () => {
    const socket = await send(
      'POST /v1/customers HTTP/1.1',
      'Host: localhost',
      'Authorization: Bearer sk_test_x',
      'Content-Type: application/x-www-form-urlencoded',
      'Content-Length: 100',
      '',
      'name=a',
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(console.error).not.toHaveBeenCalled();
    const response = await fetch(`${server.url}/v1/customers`, {
      headers: { authorization: 'Bearer sk_test_x' },
    });
    expect(await response.json()).toMatchObject({ data: [] });
  });

  it('without a key, half sent, holds no idempotency key', async () => {
    const socket = await send(
      'POST /v1/customers HTTP/1.1',
      'Host: localhost',
      'Idempotency-Key: held',
      'Content-Type: application/x-www-form-urlencoded',
      'Content-Length: 100',
      '',
      'name=a',
    );
    const refused = await new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(String(data))),
    );
    expect(refused).toMatch(/^HTTP\/1\.1 401 /);
    const response = await fetch(`${server.url}/v1/customers`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_x', 'idempotency-key': 'held' },
    });
    expect(response.status).toBe(200);
    socket.destroy();
  });
});
