import fc from 'fast-check';
import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { verifyWebhookSignature } from '../../../src/billing/webhooks/verify-webhook.js';
import { WebhookRefusedError } from '../../../src/errors.js';

const secret = 'whsec_of_the_tests';
const now = new Date('2025-12-01T00:00:00Z');
const seconds = now.getTime() / 1_000;
const body = JSON.stringify({
  id: 'evt_1',
  object: 'event',
  type: 'invoice.paid',
  created: seconds - 1,
  data: { object: { id: 'in_1', object: 'invoice' } },
});
const sign = (payload: string, options: { secret?: string; timestamp?: number } = {}) =>
  Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: seconds, ...options });
const verify = (given: Partial<Parameters<typeof verifyWebhookSignature>[0]> = {}) =>
  verifyWebhookSignature({ body, signature: sign(body), secret, now, ...given });

describe('verifyWebhookSignature()', () => {
  it('gives what a handler needs', () => {
    expect(verify()).toEqual({ id: 'evt_1', type: 'invoice.paid', created: seconds - 1, objectId: 'in_1' });
  });

  it.each([
    ['no signature', { signature: undefined }, 'it has no Stripe-Signature header'],
    ['no secret', { secret: undefined }, 'STRIPE_WEBHOOK_SECRET is not set'],
    [
      'an empty secret',
      { secret: '', signature: sign(body, { secret: ' ' }) },
      'STRIPE_WEBHOOK_SECRET is not set',
    ],
    ['another secret', { signature: sign(body, { secret: 'whsec_other' }) }, 'its signature does not fit'],
    ['an old one', { signature: sign(body, { timestamp: seconds - 301 }) }, 'is too old'],
    ['words', { signature: 'let me in' }, 'its signature does not fit'],
    ['a space more', { body: `${body} ` }, 'its signature does not fit'],
    ['a signed body that is no event', { body: '{}', signature: sign('{}') }, 'Cannot accept webhook'],
    ['a signed body that is no JSON', { body: 'x', signature: sign('x') }, 'Cannot accept webhook'],
  ])('refuses %s', (_, given, message) => {
    expect(() => verify(given)).toThrow(WebhookRefusedError);
    expect(() => verify(given)).toThrow(message);
  });

  it('reads bytes as they came, and mends none', () => {
    const bytes = (text: string) => new TextEncoder().encode(text);
    expect(verify({ body: bytes(body) }).id).toBe('evt_1');
    expect(() => verify({ body: bytes(`\uFEFF${body}`) })).toThrow(WebhookRefusedError);
    const broken = body.replace('in_1', 'in_\uFFFD');
    const raw = Buffer.from(broken.replace('\uFFFD', '~'));
    raw[raw.indexOf('~')] = 0xff;
    expect(() => verify({ body: raw, signature: sign(broken) })).toThrow(WebhookRefusedError);
  });

  it('takes one about an object without an id', () => {
    const balance = JSON.stringify({
      id: 'evt_1',
      type: 'balance.available',
      created: 1,
      data: { object: {} },
    });
    expect(verify({ body: balance, signature: sign(balance) }).objectId).toBe('');
  });

  it('takes one that is just young enough', () => {
    expect(verify({ signature: sign(body, { timestamp: seconds - 300 }) }).id).toBe('evt_1');
  });

  it('refuses a thousand changes of a good one', () => {
    const good = sign(body);
    const changed = fc
      .tuple(fc.nat(body.length - 1), fc.string({ minLength: 1, maxLength: 3 }))
      .map(([at, text]) => body.slice(0, at) + text + body.slice(at + 1))
      .filter((text) => text !== body);
    fc.assert(
      fc.property(changed, (other) => {
        expect(() => verify({ body: other, signature: good })).toThrow(WebhookRefusedError);
      }),
      { numRuns: 1_000 },
    );
  });
});
