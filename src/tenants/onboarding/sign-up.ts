/**
 * The signup itself: of all who come with one e-mail or one company, one gets a tenant. ClickHouse says
 * who has signed up, the lifecycle decides, and nobody waits for somebody else who is at it with the same.
 */
import type { ClickHouseClient } from '@clickhouse/client';
import { sha256 } from '../../invoices/seal.js';
import type { RedisClient } from '../../redis-client.js';
import { isKnownTenant } from '../known-tenant.js';
import type { TenantLifecycle } from '../lifecycle.js';
import type { LifecycleEntry } from '../lifecycle-entry.js';
import type { StoredApiKeys } from '../stored-api-keys.js';
import { LockHeldError, tenantLock } from '../tenant-lock.js';
import type { Signup } from './signup-request.js';
import { SignupTakenError } from './signup-taken-error.js';
import type { TenantProfiles } from './tenant-profiles.js';

export interface SignUpServices {
  readonly redis: RedisClient;
  /** With its tables. */
  readonly clickhouse: ClickHouseClient;
  readonly lifecycle: TenantLifecycle;
  readonly profiles: TenantProfiles;
  readonly keys: Pick<StoredApiKeys, 'issue' | 'revoke'>;
  /** The clock. @default () => new Date() */
  readonly now?: () => Date;
}

export interface SignedUp {
  /** Shown this once. */
  readonly apiKey: string;
  readonly entry: LifecycleEntry;
}

/** @throws SignupTakenError for an e-mail or a company that somebody has. */
export async function signUp(services: SignUpServices, signup: Signup): Promise<SignedUp> {
  const { tenantId } = signup;
  const claim = tenantLock(services.redis, { waitMs: 0 });
  /** Somebody else who is at it with the same is at least as early. */
  const alone = async (taken: 'e-mail' | 'company', name: string, work: () => Promise<SignedUp>) => {
    try {
      return await claim(`signup:${name}`, work);
    } catch (error) {
      throw error instanceof LockHeldError
        ? new SignupTakenError({ taken, tenantId, isUnderWay: true })
        : error;
    }
  };
  return alone('e-mail', sha256(signup.email), () =>
    alone('company', tenantId, () => signUpAlone(services, signup)),
  );
}

async function signUpAlone(services: SignUpServices, signup: Signup): Promise<SignedUp> {
  const { lifecycle, clickhouse, profiles, keys, now = () => new Date() } = services;
  const { tenantId, email, plan } = signup;
  for (const found of await profiles.find(signup)) {
    if (await lifecycle.read(found.tenantId)) {
      throw new SignupTakenError({ taken: found.email === email ? 'e-mail' : 'company', tenantId });
    }
    // Of a signup that was killed before it was answered: nobody has its key.
    await keys.revoke(found.tenantId);
    await profiles.forget(found.tenantId);
  }
  if ((await lifecycle.read(tenantId)) || (await isKnownTenant(clickhouse, tenantId))) {
    throw new SignupTakenError({ taken: 'company', tenantId });
  }
  const apiKey = await keys.issue(tenantId, { enabled: false });
  await profiles.keep({ ...signup, cardNumber: 1, createdAt: now() });
  // From here on there is a tenant, whatever happens to this process.
  const entry = await lifecycle.transition({ tenantId, event: 'sign_up', plan, by: 'signup' });
  return { apiKey, entry };
}
