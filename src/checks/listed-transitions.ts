/** Tries every event in every state of the lifecycle, on tenants that nobody else has. */
import { randomBytes } from 'node:crypto';
import type { LifecycleEntry } from '../tenants/lifecycle-entry.js';
import { type LifecycleState, nextState, TRANSITIONS } from '../tenants/lifecycle-table.js';
import type { AskableEvent, TransitionRequest } from '../tenants/next-entry.js';
import { TransitionRefusedError } from '../tenants/transition-refused-error.js';
import type { Platform } from './platform.js';

const isAskable = (event: string): event is AskableEvent => event !== 'expire';
const EVENTS = [...new Set(TRANSITIONS.map(({ event }) => event))].filter(isAskable);

export interface TriedTransitions {
  /** Pairs of a state and an event that the table lists, and that were made. */
  readonly allowed: number;
  /** Pairs that it does not list, and that were refused with the current state. */
  readonly refused: number;
  /** The first pair that went otherwise; nothing was tried after it. */
  readonly problem?: string;
}

/** Where a tenant is, and where it came from. */
type Place = Pick<LifecycleEntry, 'state' | 'from' | 'version'>;
const NOBODY: Place = { state: 'none', from: 'none', version: 0 };

/**
 * Leads tenants through the table until each listed pair was made once. In each state that is reached for
 * the first time, everything that is not listed there is asked for as well, and must change nothing.
 *
 * @example (await tryTransitions(platform.lifecycle)).refused
 */
export async function tryTransitions(lifecycle: Platform['lifecycle']): Promise<TriedTransitions> {
  const trial = `readiness-${randomBytes(6).toString('hex')}`;
  const made = new Set<string>();
  const seen = new Set<LifecycleState>();
  let refused = 0;
  for (let number = 1; wayToNew(NOBODY, made); number += 1) {
    const tenantId = `${trial}-${number}`;
    let place = NOBODY;
    for (;;) {
      if (!seen.has(place.state)) {
        seen.add(place.state);
        const others = EVENTS.filter((event) => !listedIn(place).includes(event));
        for (const event of others) {
          const problem = await refusal(lifecycle, requestOf(tenantId, event, place), place);
          // The tenant may be elsewhere now: what comes after would say nothing.
          if (problem)
            return { allowed: made.size, refused, problem: `${place.state}, ${event}: ${problem}` };
          refused += 1;
        }
      }
      const event = wayToNew(place, made)?.[0];
      if (!event) break;
      const wanted = nextState(place, event);
      const { state, from, version } = await lifecycle.transition(requestOf(tenantId, event, place));
      if (state !== wanted) {
        const problem = `${place.state}, ${event}: it is ${state} then, not ${wanted}`;
        return { allowed: made.size, refused, problem };
      }
      made.add(`${place.state}, ${event}`);
      place = { state, from, version };
    }
  }
  return { allowed: made.size, refused };
}

const listedIn = (place: Place) => EVENTS.filter((event) => nextState(place, event));

/** Asks for what must be refused; what is wrong with the answer, if anything. */
async function refusal(
  lifecycle: Platform['lifecycle'],
  request: TransitionRequest,
  { state, version }: Place,
): Promise<string | undefined> {
  try {
    const { state: reached } = await lifecycle.transition(request);
    return `not listed, and yet it is ${reached} then`;
  } catch (error) {
    if (!(error instanceof TransitionRefusedError)) throw error;
    if (error.state !== state || error.version !== version) return `refused as if it were ${error.state}`;
  }
  const after = (await lifecycle.read(request.tenantId)) ?? NOBODY;
  return after.version === version ? undefined : `refused, and yet it is ${after.state} then`;
}

/** The shortest way to a listed pair that was not made yet, with that event; undefined where there is none. */
function wayToNew(start: Place, made: ReadonlySet<string>): AskableEvent[] | undefined {
  const places: { place: Place; way: AskableEvent[] }[] = [{ place: start, way: [] }];
  const known = new Set<string>();
  for (const { place, way } of places) {
    for (const event of listedIn(place)) {
      if (!made.has(`${place.state}, ${event}`)) return [...way, event];
      const state = nextState(place, event) as LifecycleState;
      if (known.has(`${state} from ${place.state}`)) continue;
      known.add(`${state} from ${place.state}`);
      places.push({ place: { ...place, state, from: place.state }, way: [...way, event] });
    }
  }
  return undefined;
}

/** What each event needs beside its name. */
function requestOf(tenantId: string, event: AskableEvent, { version }: Place): TransitionRequest {
  const request = { tenantId, event, by: 'readiness' };
  switch (event) {
    case 'sign_up':
      return { ...request, plan: 'starter' };
    case 'upgrade':
    case 'downgrade':
      return { ...request, plan: 'pro' };
    case 'complete':
    case 'fail':
      return { ...request, version };
    default:
      return request;
  }
}
