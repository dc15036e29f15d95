/** The table of the lifecycle as a picture, which GitHub and JupyterLab draw. */
import { type LifecycleState, TRANSITIONS } from '../../src/tenants/lifecycle-table.js';

const START: LifecycleState = 'none';

/**
 * A Mermaid state diagram: one arrow for each pair of states, with the events that lead along it.
 *
 * @example lifecycleDiagram().split('\n')[1] // '  [*] --> pending_payment: sign_up'
 */
export function lifecycleDiagram(): string {
  const events = new Map<string, string[]>();
  for (const { from, event, to } of TRANSITIONS) {
    const arrow = `${from === START ? '[*]' : from} --> ${to}`;
    events.set(arrow, [...(events.get(arrow) ?? []), event]);
  }
  const arrows = [...events].map(([arrow, names]) => `  ${arrow}: ${names.join(', ')}`);
  return ['stateDiagram-v2', ...arrows].join('\n');
}
