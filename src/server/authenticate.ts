/** The one place that decides which tenant a request is: by its key alone. */
import type { Context, Hono, MiddlewareHandler } from 'hono';
import type { KeyHolder, KeyLookup } from '../tenants/api-keys.js';
import { problem } from './problem.js';

/** What a route behind a key knows: `context.get('holder').tenantId`. */
export type TenantEnv = { Variables: { holder: KeyHolder } };
export type TenantApp = Hono<TenantEnv>;

/** Whose key a request has, or the answer to it: 401, or 503 while nobody can tell. */
export async function holderOf(context: Context, keys: KeyLookup): Promise<KeyHolder | Response> {
  const [, key = ''] = /^Bearer (\S+)$/.exec(context.req.header('authorization') ?? '') ?? [];
  try {
    const holder = await keys.holderOf(key);
    if (holder) return holder;
  } catch {
    return problem(503, 'Keys cannot be looked up right now', { 'retry-after': '5' });
  }
  return problem(401, 'Send a key of a tenant: Authorization: Bearer <key>', {
    'www-authenticate': 'Bearer',
  });
}

/** Lets requests with a key pass. */
export function authenticate(keys: KeyLookup): MiddlewareHandler<TenantEnv> {
  return async (context, next) => {
    const holder = await holderOf(context, keys);
    if (holder instanceof Response) return holder;
    context.set('holder', holder);
    return next();
  };
}

/** Lets pass those whose key is of the tenant in the path, `:id`; it does not say whether others are there. */
export const ownTenant: MiddlewareHandler<TenantEnv> = async (context, next) => {
  if (context.req.param('id') === context.get('holder').tenantId) return next();
  return problem(403, 'A key opens its own tenant only');
};
