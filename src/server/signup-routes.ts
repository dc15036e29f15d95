/** `POST /signup`, and `GET /api/tenants/{id}`, where a tenant sees how far it is. */
import { InvalidInputError } from '../errors.js';
import type { KeyLookup } from '../tenants/api-keys.js';
import type { LifecycleEntry } from '../tenants/lifecycle-entry.js';
import { failureOf } from '../tenants/onboarding/failure-of.js';
import type { Onboarding } from '../tenants/onboarding/onboarding.js';
import { readSignup } from '../tenants/onboarding/signup-request.js';
import { SignupTakenError } from '../tenants/onboarding/signup-taken-error.js';
import { TransitionRefusedError } from '../tenants/transition-refused-error.js';
import { holderOf, type TenantApp } from './authenticate.js';
import { jsonBody } from './json-body.js';
import { problem } from './problem.js';

/**
 * Without a key a signup makes a tenant. With the key that the first one gave, the same signup tries again
 * what failed, with another card perhaps.
 */
export function addSignupRoutes(
  app: TenantApp,
  { onboarding, keys }: { onboarding: Pick<Onboarding, 'signUp' | 'retry' | 'statusOf'>; keys: KeyLookup },
): void {
  app.post('/signup', async (context) => {
    const holder = context.req.header('authorization') ? await holderOf(context, keys) : undefined;
    if (holder instanceof Response) return holder;
    const signup = readSignup(await jsonBody(context, 'signup'));
    if (holder && holder.tenantId !== signup.tenantId) return problem(403, 'A key opens its own tenant only');
    try {
      if (holder) return context.json(answerOf(await onboarding.retry(holder.tenantId, signup)), 202);
      const { apiKey, entry } = await onboarding.signUp(signup);
      return context.json({ ...answerOf(entry), api_key: apiKey }, 202, { 'cache-control': 'no-store' });
    } catch (error) {
      if (error instanceof SignupTakenError) return problem(409, error.message);
      if (error instanceof TransitionRefusedError || error instanceof InvalidInputError) throw error;
      // Not the message: a database's may repeat what was to be stored.
      console.error(`A signup failed: ${failureOf(error).reason}`);
      return problem(503, 'The signup could not be kept; send it again', { 'retry-after': '5' });
    }
  });

  app.get('/api/tenants/:id', async (context) => {
    const { tenantId } = context.get('holder');
    const status = await onboarding.statusOf(tenantId);
    return status ? context.json(status) : problem(404, `Nothing is known of ${tenantId}`);
  });
}

const answerOf = ({ tenantId, state }: LifecycleEntry) => ({
  tenant_id: tenantId,
  state,
  status_url: `/api/tenants/${tenantId}`,
});
