import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  allowedEvents,
  LIFECYCLE,
  type LifecycleState,
  nextState,
  TRANSITIONS,
} from '../../src/tenants/lifecycle-table.js';
import { lifecycleDiagram } from '../support/lifecycle-diagram.js';

const states = Object.keys(LIFECYCLE) as LifecycleState[];
const arrowsFrom = (state: LifecycleState) => TRANSITIONS.filter(({ from }) => from === state);

describe('TRANSITIONS', () => {
  it('lead to every state, and out of every state but the purged', () => {
    const reached = new Set<LifecycleState>(['none']);
    for (let before = 0; before < reached.size; ) {
      before = reached.size;
      for (const { from, to } of TRANSITIONS) if (reached.has(from)) reached.add(to);
    }
    expect([...reached].sort()).toEqual([...states].sort());
    expect(states.filter((state) => arrowsFrom(state).length === 0)).toEqual(['purged']);
  });

  it('end every transition in progress by its worker or its deadline, and in no other way', () => {
    for (const state of states.filter((name) => LIFECYCLE[name].rollsBackTo)) {
      expect(new Set(arrowsFrom(state).map(({ event }) => event))).toEqual(
        new Set(['complete', 'fail', 'expire']),
      );
      expect(arrowsFrom(state).every(({ to }) => !LIFECYCLE[to].rollsBackTo)).toBe(true);
    }
  });

  it('are those that nextState() allows', () => {
    const events = [...new Set(TRANSITIONS.map(({ event }) => event))];
    for (const state of states) {
      for (const event of events) {
        const arrows = arrowsFrom(state).filter((arrow) => arrow.event === event);
        const origins = arrows.length > 1 ? arrows.map(({ to }) => to) : (['active'] as const);
        const ends = origins.map((from) => nextState({ state, from }, event));
        expect(ends, `${event} in ${state}`).toEqual(
          arrows.length > 0 ? arrows.map(({ to }) => to) : [undefined],
        );
      }
    }
  });
});

describe('allowedEvents()', () => {
  it.each([
    ['none', ['sign_up']],
    ['upgrading', ['complete', 'fail']],
    ['deleted', ['win_back', 'purge']],
    ['purged', []],
  ] as const)('of %s are %o', (state, events) => {
    expect(allowedEvents(state)).toEqual(events);
  });
});

describe('lifecycleDiagram()', () => {
  const readme = new URL('../../src/README.md', import.meta.url);

  it('is the picture in src/README.md (UPDATE_README=1 writes it)', () => {
    const text = readFileSync(readme, 'utf8');
    const made = text.replace(
      /```mermaid\nstateDiagram[\s\S]*?```/,
      `\`\`\`mermaid\n${lifecycleDiagram()}\n\`\`\``,
    );
    if (process.env.UPDATE_README) writeFileSync(readme, made);
    expect(readFileSync(readme, 'utf8'), 'run this test with UPDATE_README=1').toContain(lifecycleDiagram());
  });

  it('has each arrow of the table once', () => {
    const arrows = lifecycleDiagram()
      .split('\n')
      .slice(1)
      .flatMap((line) => {
        const [, from = '', to = '', events = ''] = /^ {2}(\S+) --> (\w+): (.+)$/.exec(line) ?? [];
        return events.split(', ').map((event) => `${from === '[*]' ? 'none' : from} ${event} ${to}`);
      });
    expect(arrows.sort()).toEqual(TRANSITIONS.map(({ from, event, to }) => `${from} ${event} ${to}`).sort());
  });
});
