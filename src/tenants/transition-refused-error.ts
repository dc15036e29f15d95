/** A change of a tenant that its state does not allow, or that somebody else was quicker with. */
import { allowedEvents, type LifecycleEvent, type LifecycleState } from './lifecycle-table.js';

export class TransitionRefusedError extends Error {
  override readonly name = 'TransitionRefusedError';
  readonly tenantId: string;
  readonly event: LifecycleEvent;
  /** The tenant's state now. */
  readonly state: LifecycleState;
  readonly version: number;
  /** What may be asked for instead. */
  readonly allowed: readonly LifecycleEvent[];
  /** Whether the tenant is no longer what the caller went by: it may read it and ask again. */
  readonly changed: boolean;

  constructor(facts: {
    tenantId: string;
    event: LifecycleEvent;
    state: LifecycleState;
    version: number;
    changed: boolean;
    /** Why nothing may be asked for, whatever the state. */
    why?: string;
  }) {
    const { tenantId, event, state, version, changed, why } = facts;
    const allowed = why ? [] : allowedEvents(state);
    const stands = state === 'none' ? 'there is no such tenant' : `it is ${state} at version ${version}`;
    const may = allowed.length > 0 ? `where ${allowed.join(', ')} may follow` : 'which is final';
    const because = why ?? `${changed ? 'it was changed meanwhile; ' : ''}${stands}, ${may}`;
    super(`Cannot ${event} ${tenantId}: ${because}`);
    this.tenantId = tenantId;
    this.event = event;
    this.state = state;
    this.version = version;
    this.allowed = allowed;
    this.changed = changed;
  }
}
