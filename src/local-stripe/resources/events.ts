/** Events of the last thirty days, and the endpoints that are told of them. */
import { z } from 'zod';
import { EVENT_TYPES } from '../events/event-types.js';
import { EVENTS_KEPT_SECONDS } from '../events/keep-events.js';
import { missing } from '../http/api-error.js';
import { isWithin, list, metadata, text, times } from '../http/parameters.js';
import { mergeMetadata } from '../http/patched.js';
import { pageRoute, type Route, route } from '../http/route.js';
import { type Account, LIVE_CLOCK } from '../state/account.js';
import type { EventRow } from '../state/rows.js';

const typeOfEvent = text(100).refine(
  (type) => type === '*' || EVENT_TYPES.includes(type),
  'not a type that the local Stripe sends',
);
const events = list(typeOfEvent, 300).refine((types) => types.length > 0, 'at least one event');
const url = z.url({ protocol: /^https?$/ }).max(2_048);

export const eventRoutes: Route[] = [
  route('GET /v1/events/:id', 'events.retrieve', {}, (account, _params, id) => {
    const row = account.tables.events.one(id);
    if (isKept(account, row)) return row.event;
    throw missing('event', id);
  }),
  pageRoute(
    '/v1/events',
    'events.list',
    {
      created: times.optional(),
      type: text(100).optional(),
      types: list(text(100), 20).optional(),
    },
    (account, { created, type, types }) =>
      account.tables.events
        .all()
        .filter((row) => isKept(account, row))
        .map(({ event }) => event)
        .filter(
          (event) =>
            isWithin(event.created, created) &&
            (type === undefined || matches(type, event.type)) &&
            (types?.includes(event.type) ?? true),
        ),
  ),
  route(
    'POST /v1/webhook_endpoints',
    'webhookEndpoints.create',
    { enabled_events: events, metadata: metadata.optional(), url },
    (account, params) =>
      account.tables.webhookEndpoints.put({
        id: account.newId('we'),
        object: 'webhook_endpoint',
        api_version: null,
        application: null,
        created: account.now(),
        description: null,
        enabled_events: params.enabled_events,
        livemode: false,
        metadata: mergeMetadata({}, params.metadata),
        secret: `whsec_${account.ids.letters(32)}`,
        status: 'enabled',
        url: params.url,
      }),
  ),
  route('DELETE /v1/webhook_endpoints/:id', 'webhookEndpoints.del', {}, ({ tables }, _params, id) => {
    tables.webhookEndpoints.delete(tables.webhookEndpoints.one(id).id);
    return { id, object: 'webhook_endpoint', deleted: true };
  }),
  pageRoute('/v1/webhook_endpoints', 'webhookEndpoints.list', {}, ({ tables }) =>
    tables.webhookEndpoints.all().map(withoutSecret),
  ),
];

/** The secret is shown once, at the endpoint's making. */
function withoutSecret<E extends { readonly secret: string }>({ secret: _, ...shown }: E): Omit<E, 'secret'> {
  return shown;
}

/** Thirty days by the clock of the event's object. */
function isKept(account: Account, { clock, event }: EventRow): boolean {
  const known = account.tables.testClocks.get(clock) ? clock : LIVE_CLOCK;
  return event.created > account.timeOf(known) - EVENTS_KEPT_SECONDS;
}

/** `customer.subscription.*` stands for all types that begin so. */
function matches(wanted: string, type: string): boolean {
  return wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}
