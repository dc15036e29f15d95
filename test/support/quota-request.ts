import type { QuotaRequest } from '../../src/quotas/quota-gate.js';

export const noon = new Date('2025-11-15T12:00:00Z');

/** What a test says of a request; the rest is acme-corp's, one query at noon with a quota of ten. */
export type Asked = {
  tenantId?: string;
  queries?: number;
  tokens?: number;
  limits?: [number, number];
  now?: Date;
};
export const requestOf = ({
  tenantId = 'acme-corp',
  queries = 1,
  tokens = 0,
  limits = [10, 1_000],
  now = noon,
}: Asked): QuotaRequest => ({
  tenantId,
  amounts: { queries, tokens },
  limits: { queries: limits[0], tokens: limits[1] },
  now,
});
