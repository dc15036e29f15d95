/** One event to one endpoint, signed. */
import Stripe from 'stripe';
import type { Account } from '../state/account.js';
import type { StoredEvent } from '../state/rows.js';

/** Stripe says "quickly" and no number. */
const TIMEOUT_MS = 10_000;

/** Whether the event was taken in time: a 2xx from an address, no error from a function. */
export async function handOver(account: Account, endpoint: string, event: StoredEvent): Promise<boolean> {
  const body = JSON.stringify(event, null, 2);
  // At the real time: receivers compare it with their own clock.
  const sign = (secret: string) => Stripe.webhooks.generateTestHeaderString({ payload: body, secret });
  const local = account.functions.get(endpoint);
  const remote = account.tables.webhookEndpoints.get(endpoint);
  try {
    if (local) {
      await inTime(async () => local.handler(body, sign(local.secret)));
      return true;
    }
    // An endpoint that is gone has nothing to wait for.
    if (!remote) return true;
    return await inTime((signal) => post(remote.url, { body, signature: sign(remote.secret), signal }));
  } catch {
    return false;
  }
}

async function post(
  url: string,
  { body, signature, signal }: { body: string; signature: string; signal: AbortSignal },
): Promise<boolean> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': signature },
    body,
    redirect: 'manual',
    signal,
  });
  await response.body?.cancel();
  return response.ok;
}

/** A function cannot be stopped: when its time is over it is no longer waited for. */
async function inTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new Error('The endpoint took too long');
      stop.abort(error);
      reject(error);
    }, TIMEOUT_MS);
  });
  try {
    return await Promise.race([work(stop.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
