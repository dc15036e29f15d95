import { describe, expect, it } from 'vitest';
import { PRICE_TABLES } from '../../src/metering/costs.js';
import { createEvent, type UsageEvent } from '../../src/metering/event.js';
import type { EventInput } from '../../src/metering/event-input.js';
import { trackUsage } from '../../src/metering/track-usage.js';
import { NOW } from '../support/events.js';

const noting = () => {
  const events: UsageEvent[] = [];
  const track = (input: EventInput) => {
    events.push(createEvent(input, { priceTables: PRICE_TABLES, now: NOW }));
    return events.at(-1) as UsageEvent;
  };
  return { events, track };
};
const call = { tenantId: 'acme-corp', endpoint: '/query' };
const usage = { model: 'gpt-4o', tokensInput: 100, tokensOutput: 10 };

describe('trackUsage()', () => {
  it('gives the answer and the event of an answered call', async () => {
    const tracker = noting();
    const { answer, event } = await trackUsage(tracker, call, async (report) => {
      report(usage);
      return 'forty-two';
    });
    expect(answer).toBe('forty-two');
    expect(event).toMatchObject({
      queries: 1,
      tokens_input: 100,
      cost_usd: '0.00142000',
      endpoint: '/query',
    });
    expect(tracker.events).toEqual([event]);
  });

  it('tracks a failed call with the cost of what it used, as no query, and passes the error on', async () => {
    const tracker = noting();
    const failing = trackUsage(tracker, call, async (report) => {
      report(usage);
      throw new Error('the model gave up');
    });
    await expect(failing).rejects.toThrow('the model gave up');
    expect(tracker.events).toMatchObject([{ queries: 0, tokens_output: 10, cost_usd: '0.00042000' }]);
  });

  it('tracks a call that failed before it used anything', async () => {
    const tracker = noting();
    await expect(trackUsage(tracker, call, () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(tracker.events).toMatchObject([{ queries: 0, tokens_input: 0, cost_usd: '0.00000000' }]);
  });

  it('adds up what is reported in several parts', async () => {
    const tracker = noting();
    await trackUsage(tracker, call, async (report) => {
      report(usage);
      report({ tokensOutput: 5, bytes: 7 });
    });
    expect(tracker.events).toMatchObject([
      { tokens_input: 100, tokens_output: 15, bytes: 7, model: 'gpt-4o' },
    ]);
  });

  it('refuses a second model, and tracks what the first used', async () => {
    const tracker = noting();
    const both = trackUsage(tracker, call, async (report) => {
      report(usage);
      report({ model: 'gpt-4o-mini', tokensInput: 1 });
    });
    await expect(both).rejects.toThrow(
      'Cannot report usage of gpt-4o-mini: the call has used gpt-4o, and is one event',
    );
    expect(tracker.events).toMatchObject([{ queries: 0, tokens_input: 100 }]);
  });

  it('passes on why the call failed also where its usage cannot be priced', async () => {
    const failing = trackUsage(noting(), call, async (report) => {
      report({ model: 'gpt-9', tokensInput: 1 });
      throw new Error('the model gave up');
    });
    await expect(failing).rejects.toThrow(
      /^the model gave up; and its usage is not tracked: Cannot price event: .* no model "gpt-9"/,
    );
  });
});
