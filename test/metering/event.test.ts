import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidInputError, UnknownModelError } from '../../src/errors.js';
import { PRICE_TABLES, type PriceTable } from '../../src/metering/costs.js';
import { createEvent, EVENT_COLUMNS, encodeRow, isRow } from '../../src/metering/event.js';
import { type EventInput, eventInput, isUsual } from '../../src/metering/event-input.js';
import { eventOf, idOf, NOW } from '../support/events.js';

const dated = (instant: string) => new Date(instant);
const refusalOf = (input: unknown): unknown => {
  try {
    return createEvent(input as EventInput, { priceTables: PRICE_TABLES, now: NOW });
  } catch (error) {
    return error;
  }
};
const withField = (field: string, value: unknown) => refusalOf({ tenantId: 'acme-corp', [field]: value });

describe('createEvent()', () => {
  it('fixes identity, time and cost', () => {
    expect(eventOf({ eventId: idOf(1), endpoint: '/query', latencyMs: 12 })).toEqual({
      tenant_id: 'acme-corp',
      event_id: idOf(1),
      event_type: 'query',
      timestamp: NOW.getTime(),
      queries: 1,
      tokens_input: 100,
      tokens_output: 10,
      bytes: 0,
      model: 'gpt-4o',
      endpoint: '/query',
      latency_ms: 12,
      cost_usd: '0.00142000',
      price_version: '2025-01',
      created_at: NOW.getTime(),
    });
  });

  it('gives every event an id of its own', () => {
    expect(eventOf().event_id).not.toBe(eventOf().event_id);
  });

  it('writes an id in small letters, so that two spellings are one event', () => {
    expect(eventOf({ eventId: 'ABCDEF00-0000-4000-8000-000000000000' }).event_id).toBe(
      'abcdef00-0000-4000-8000-000000000000',
    );
  });

  it.each([
    ['query', 1],
    ['embedding', 0],
    ['storage_write', 0],
    ['storage_read', 0],
    ['token_input', 0],
    ['token_output', 0],
  ] as const)('counts %s as %i queries', (type, queries) => {
    expect(eventOf({ type }).queries).toBe(queries);
  });

  it('prices by the event’s own time, not by the clock', () => {
    const [old] = PRICE_TABLES as [PriceTable];
    const doubled = { ...old, version: 'b', effectiveFrom: NOW, basePerQuery: 2n * old.basePerQuery };
    const at = (timestamp: Date) =>
      createEvent({ tenantId: 'a', timestamp }, { priceTables: [old, doubled], now: NOW });
    const before = at(new Date(NOW.getTime() - 1));
    expect([before.cost_usd, before.price_version]).toEqual(['0.00100000', '2025-01']);
    expect([at(NOW).cost_usd, at(NOW).price_version]).toEqual(['0.00200000', 'b']);
  });

  it('accepts the largest quantities', () => {
    const most = eventOf({
      queries: 4_294_967_295,
      tokensInput: 4_294_967_295,
      bytes: Number.MAX_SAFE_INTEGER,
    });
    expect([most.queries, most.tokens_input, most.bytes]).toEqual([
      4_294_967_295, 4_294_967_295, 9_007_199_254_740_991,
    ]);
  });

  it('accepts a time five minutes ahead, and not a millisecond more', () => {
    const limit = NOW.getTime() + 300_000;
    expect(eventOf({ timestamp: new Date(limit) }).timestamp).toBe(limit);
    expect(withField('timestamp', new Date(limit + 1))).toMatchObject({
      message:
        'Cannot accept event: timestamp must not lie in the future, current value is 2025-11-15T12:05:00.001Z at 2025-11-15T12:00:00.000Z',
    });
  });

  it('refuses a time before the first price', () => {
    expect(withField('timestamp', dated('2024-12-31T23:59:59.999Z'))).toBeInstanceOf(RangeError);
  });

  it('refuses tokens without a model', () => {
    expect(refusalOf({ tenantId: 'a', tokensOutput: 1 })).toMatchObject({
      name: 'InvalidInputError',
      message: 'Cannot accept event: model must be given where there are tokens',
    });
  });

  it('refuses a model without a price', () => {
    expect(withField('model', 'constructor')).toBeInstanceOf(UnknownModelError);
  });

  const count = 'must be a whole number of at least 0';
  const most = 'must be at most 4294967295';
  const id = 'must be 1 to 63 of a-z, 0-9, _ and -, a letter or digit first';
  it.each([
    ['tenantId', undefined, 'must be a tenant id, current value is undefined'],
    ['tenantId', 7, 'must be a tenant id, current value is 7'],
    ['tenantId', '../x', `${id}, current value is "../x"`],
    ['tenantId', 'a b', `${id}, current value is "a b"`],
    ['tenantId', '{x}', `${id}, current value is "{x}"`],
    ['tenantId', 'a'.repeat(64), `${id}, current value is "${'a'.repeat(64)}"`],
    ['tenantId', 'ténant', `${id}, current value is "ténant"`],
    ['tenantId', '', `${id}, current value is ""`],
    ['eventId', 'x', 'must be a UUID, current value is "x"'],
    ['eventId', 1, 'must be a UUID, current value is 1'],
    ['eventId', `${idOf(1)}'`, `must be a UUID, current value is "${idOf(1)}'"`],
    [
      'type',
      'Query',
      'must be one of query, embedding, storage_write, storage_read, token_input, token_output, current value is "Query"',
    ],
    ['timestamp', '2025-11-15', 'must be a valid Date, current value is "2025-11-15"'],
    ['timestamp', 0, 'must be a valid Date, current value is 0'],
    ['timestamp', dated('never'), 'must be a valid Date, current value is Invalid Date'],
    ['timestamp', null, 'must be a valid Date, current value is null'],
    ['queries', -1, `${count}, current value is -1`],
    ['queries', 0.5, `${count}, current value is 0.5`],
    ['tokensInput', NaN, `${count}, current value is NaN`],
    ['tokensInput', Infinity, `${count}, current value is Infinity`],
    ['tokensInput', 2 ** 32, `${most}, current value is 4294967296`],
    ['tokensOutput', '5', `${count}, current value is "5"`],
    ['tokensOutput', 5n, `${count}, current value is 5`],
    ['bytes', -0.1, `${count}, current value is -0.1`],
    ['bytes', 2 ** 53, `${count}, current value is 9007199254740992`],
    ['latencyMs', 1.5, `${count}, current value is 1.5`],
    ['latencyMs', 2 ** 32, `${most}, current value is 4294967296`],
    ['model', 4, 'must be text, current value is 4'],
    ['endpoint', [], 'must be text, current value is []'],
    ['endpoint', '\ud83d', 'must be well-formed Unicode, current value is "\\ud83d"'],
    ['cost_usd', '0', 'is not a known field'],
  ])('refuses %s = %o', (field, value, problem) => {
    expect(withField(field, value)).toMatchObject({
      name: 'InvalidInputError',
      message: `Cannot accept event: ${field} ${problem}`,
    });
  });

  it('refuses an endpoint of more than 200 characters', () => {
    expect(eventOf({ endpoint: 'x'.repeat(200) }).endpoint).toHaveLength(200);
    expect(withField('endpoint', 'x'.repeat(201))).toBeInstanceOf(InvalidInputError);
  });

  it.each([null, undefined, [], 'event', 7])('refuses %o as a whole', (input) => {
    expect((refusalOf(input) as Error).message).toMatch(
      /^Cannot accept event: it must be an object, current value is /,
    );
  });
});

describe('encodeRow()', () => {
  // No two values are alike, so that none can stand in another's place.
  const event = {
    tenant_id: 'acme-corp',
    event_id: idOf(1),
    event_type: 'embedding',
    timestamp: 1,
    queries: 2,
    tokens_input: 3,
    tokens_output: 4,
    bytes: 5,
    model: 'gpt-4o',
    endpoint: '/é\n"\u2028',
    latency_ms: 6,
    cost_usd: '7.00000000',
    price_version: '2025-01',
    created_at: 8,
  } as const;

  it('writes the values in the order of EVENT_COLUMNS, on one line', () => {
    const line = encodeRow(event);
    expect(JSON.parse(line)).toEqual(EVENT_COLUMNS.map((column) => event[column]));
    expect(line).not.toContain('\n');
  });

  it('leaves no field out: EVENT_COLUMNS has exactly the keys of an event, each once', () => {
    expect([...EVENT_COLUMNS].sort()).toEqual(Object.keys(eventOf()).sort());
  });

  it('is what isRow() takes, with neither a value more or less nor one in another’s place', () => {
    const values = JSON.parse(encodeRow(event)) as unknown[];
    const [tenant, id, ...rest] = values;
    expect(isRow(encodeRow(event))).toBe(true);
    const others = [
      [...values, 8],
      values.slice(0, -1),
      [id, tenant, ...rest],
      [tenant, null, ...rest],
      event,
    ];
    expect(others.map((other) => isRow(JSON.stringify(other)))).toEqual(others.map(() => false));
    expect(isRow(encodeRow(event).slice(0, -1))).toBe(false);
  });
});

describe('isUsual()', () => {
  it('takes nothing that the schema refuses or changes', () => {
    const odd = fc.constantFrom<unknown>(
      null,
      '',
      'gpt-4o',
      'x\ud800',
      'A',
      -1,
      0.5,
      2 ** 32,
      7,
      NaN,
      true,
      [],
      {},
    );
    const more = fc.dictionary(
      fc.constantFrom('type', 'queries', 'tokensInput', 'model', 'endpoint', 'latencyMs', 'eventId', 'more'),
      fc.oneof(odd, fc.constantFrom<unknown>('query', undefined, 3)),
    );
    const input = fc
      .tuple(fc.constantFrom<unknown>('acme-corp', 'A', 7), more)
      .map(([tenantId, rest]) => ({ tenantId, ...rest }));
    let usual = 0;
    fc.assert(
      fc.property(input, (given) => {
        if (!isUsual(given as unknown as EventInput)) return;
        usual += 1;
        expect(eventInput.parse(given)).toEqual(given);
      }),
      { numRuns: 5_000 },
    );
    expect(usual).toBeGreaterThan(10);
  });
});
