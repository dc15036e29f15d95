/**
 * The life of a tenant: its states, and what may happen in each. The one table from which the code,
 * the tests and the picture in src/README.md are made.
 */
const TABLE = {
  // Nobody signed up under this id.
  none: { on: { sign_up: 'pending_payment' } },
  pending_payment: { on: { pay: 'provisioning', delete: 'deleted' } },
  provisioning: { on: { complete: 'active' }, rollsBackTo: 'provisioning_failed' },
  provisioning_failed: { on: { retry: 'provisioning', delete: 'deleted' } },
  active: {
    on: {
      upgrade: 'upgrading',
      downgrade: 'downgrading',
      suspend: 'suspended',
      cancel: 'cancelled',
      delete: 'deleted',
    },
  },
  upgrading: { on: { complete: 'active' }, rollsBackTo: 'origin' },
  downgrading: { on: { complete: 'active' }, rollsBackTo: 'origin' },
  suspended: { on: { reactivate: 'active', cancel: 'cancelled', delete: 'deleted' } },
  // Its subscription ended; it keeps its data until it asks for deletion.
  cancelled: { on: { win_back: 'returning', delete: 'deleted' } },
  // Softly: everything is still there. Of a purge and a win-back at once one is refused.
  deleted: { on: { win_back: 'returning', purge: 'purging' } },
  returning: { on: { complete: 'active' }, rollsBackTo: 'origin' },
  // Its personal data must all go: no way leads back, and whoever finds it here goes on with it.
  purging: { on: { complete: 'purged' } },
  // Its id is not given out again.
  purged: { on: {} },
} as const;

export type LifecycleState = keyof typeof TABLE;

type EventsOf<S extends LifecycleState> = S extends unknown ? keyof (typeof TABLE)[S]['on'] : never;
/** `fail`, from its worker, and `expire`, because its worker is overdue, end what is in progress. */
export type LifecycleEvent = EventsOf<LifecycleState> | 'fail' | 'expire';

export interface LifecycleRules {
  readonly on: Readonly<Partial<Record<LifecycleEvent, LifecycleState>>>;
  /**
   * Only of a transition in progress: a worker is at it, and until it is done or overdue nobody else
   * changes the tenant. Where it goes when it fails; `origin` is the state that it came from.
   */
  readonly rollsBackTo?: LifecycleState | 'origin';
}

export const LIFECYCLE: Readonly<Record<LifecycleState, LifecycleRules>> = TABLE;

/** One arrow of the picture. */
export interface Transition {
  readonly from: LifecycleState;
  readonly event: LifecycleEvent;
  readonly to: LifecycleState;
}

const STATES = Object.keys(LIFECYCLE) as LifecycleState[];

/** All arrows, in the order of the table. */
export const TRANSITIONS: readonly Transition[] = STATES.flatMap((from) => {
  const ordinary = Object.entries(LIFECYCLE[from].on).map(
    ([event, to]) => ({ from, event, to }) as Transition,
  );
  const { rollsBackTo } = LIFECYCLE[from];
  const origins = STATES.filter((state) => Object.values(LIFECYCLE[state].on).includes(from));
  const back = rollsBackTo === 'origin' ? origins : [rollsBackTo ?? []].flat();
  const ended = (to: LifecycleState) => (['fail', 'expire'] as const).map((event) => ({ from, event, to }));
  return [...ordinary, ...back.flatMap(ended)];
});

/**
 * The state after an event, or undefined where the event is not allowed.
 *
 * @param current `from` is the state before the current one
 * @example nextState({ state: 'upgrading', from: 'active' }, 'fail') // 'active'
 */
export function nextState(
  { state, from }: { state: LifecycleState; from: LifecycleState },
  event: LifecycleEvent,
): LifecycleState | undefined {
  const { on, rollsBackTo } = LIFECYCLE[state];
  if (event !== 'fail' && event !== 'expire') return on[event];
  return rollsBackTo === 'origin' ? from : rollsBackTo;
}

/**
 * What may be asked for in a state.
 *
 * @example allowedEvents('deleted') // ['win_back', 'purge']
 */
export function allowedEvents(state: LifecycleState): LifecycleEvent[] {
  const { on, rollsBackTo } = LIFECYCLE[state];
  return [...(Object.keys(on) as LifecycleEvent[]), ...(rollsBackTo ? ['fail' as const] : [])];
}
