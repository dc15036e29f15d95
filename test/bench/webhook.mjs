// The answer to a webhook while handlers are busy: its p99 over that of a route that does nothing.
import { Agent, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import Stripe from 'stripe';
import { WebhookQueue } from '../../.build/billing/webhooks/webhook-queue.js';
import { createApp } from '../../.build/server/app.js';
import { listen } from '../../.build/server/listen.js';
import { webhookRoute } from '../../.build/server/webhook-route.js';
import { withEngine } from './engine.mjs';
import { pairs } from './pairs.mjs';

export const names = ['webhook.ack_vs_empty_route'];

/** 2,000 in all, in short rounds: a busy moment of the machine spoils one of them. */
const ROUNDS = 8;
const WEBHOOKS = 250;
const HANDLER_MS = 200;
/** Stripe sends several at once. */
const IN_FLIGHT = 10;
const secret = 'whsec_of_the_bench';

/** As large as an invoice's event is. */
const bodyOf = (id) =>
  JSON.stringify({
    id,
    object: 'event',
    type: 'invoice.paid',
    created: 1_764_547_200,
    data: { object: { id: 'in_1', object: 'invoice', description: 'x'.repeat(5_000) } },
  });

export async function run(report) {
  await withEngine(async ({ redis }) => {
    if (redis.mode === 'off') throw new Error(redis.skip);
    const queue = new WebhookQueue(redis.client);
    const app = createApp({
      keys: { tenantOf: () => undefined },
      gate: { ping: async () => undefined },
      tracker: { stats: () => ({ buffered: 0, fallbackBytes: 0 }) },
      clickhouse: { mode: 'off', skip: 'not measured' },
      limitsOf: () => 'ended',
      webhooks: webhookRoute({ secret, queue }),
    });
    const empty = async (incoming) => {
      await incoming.arrayBuffer();
      return new Response('{}');
    };
    const server = await listen({
      fetch: (incoming) => (incoming.url.endsWith('/empty') ? empty(incoming) : app.fetch(incoming)),
    });
    // Not ended by the close: what waits then goes with the folder.
    let handled = 0;
    queue.work(async () => {
      await wait(HANDLER_MS);
      handled += 1;
    });
    let made = 0;
    const messages = () =>
      Array.from({ length: WEBHOOKS }, () => {
        made += 1;
        const payload = bodyOf(`evt_${made}`);
        return [payload, Stripe.webhooks.generateTestHeaderString({ payload, secret })];
      });
    const p99 = async (path) => {
      const times = await sendAll(`${server.url}${path}`, messages());
      return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)];
    };
    const acknowledged = () => p99('/webhooks/stripe');
    const nothing = () => p99('/empty');
    const { a, ratio } = await pairs(acknowledged, nothing, { rounds: ROUNDS });
    report({
      name: 'webhook.ack_vs_empty_route',
      value: a,
      unit: 'ms',
      against: `p99 of an empty route, ${IN_FLIGHT} in flight; meanwhile ${handled} handled, ${HANDLER_MS} ms each`,
      ratio,
    });
    await queue.close();
    await server.close();
  });
}

/** Milliseconds of each answer; all must be 200. */
async function sendAll(url, messages) {
  const agent = new Agent({ keepAlive: true, maxSockets: IN_FLIGHT });
  const times = [];
  const lane = async () => {
    for (let next = messages.pop(); next; next = messages.pop()) times.push(await send(url, next, agent));
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  agent.destroy();
  return times;
}

function send(url, [body, signature], agent) {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { 'stripe-signature': signature, 'content-length': Buffer.byteLength(body) };
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - started);
        else reject(new Error(`A webhook was answered ${response.statusCode}`));
      });
    });
    sent.on('error', reject).end(body);
  });
}
