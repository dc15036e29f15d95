/** What follows from a tenant's records in the ledger. */
import type { Standing } from '../tenants/gate-entry.js';
import type { DunningRecord } from './dunning-ledger.js';
import { DUNNING_ACTIONS, type DunningAction } from './ladder.js';

/** The records of dunning; the ledger has others beside them. */
export const STEPS: readonly string[] = [...DUNNING_ACTIONS, 'reactivated'];

/** Stands for the invoice of a failed payment that is known by its count alone. */
export const BY_COUNT = 'by count';

/** How a tenant stands by its records. */
export const standingOf = (records: readonly DunningRecord[]): Standing => records.at(-1)?.standing ?? 'good';

/** How a tenant stands to whom this was done. */
export function standingAfter(actions: readonly DunningAction[]): Standing {
  if (actions.includes('service_suspended')) return 'suspended';
  return actions.includes('rate_limit_reduced') ? 'reduced' : 'good';
}

/** The newest of the steps that were done to a tenant who is chased still. */
export function lastChase(records: readonly DunningRecord[]): DunningRecord | undefined {
  const newest = records.filter(isStep).at(-1);
  return newest?.action === 'reactivated' ? undefined : newest;
}

export const isStep = ({ action }: Pick<DunningRecord, 'action'>): boolean => STEPS.includes(action);

/** Whether a tenant was reactivated although this invoice is unpaid: a person let it go. */
export const isLetGo = (records: readonly DunningRecord[], { invoiceId }: { invoiceId: string }): boolean =>
  invoiceId !== BY_COUNT && doneFor(records, invoiceId).has('reactivated');

/** What was done for an invoice; a count of failures starts again after a payment. */
export function doneFor(records: readonly DunningRecord[], invoiceId: string): Set<string> {
  const last = records.map(({ action }) => action).lastIndexOf('reactivated');
  const since = invoiceId === BY_COUNT ? records.slice(last + 1) : records;
  return new Set(since.filter(({ about }) => about === invoiceId).map(({ action }) => action));
}
