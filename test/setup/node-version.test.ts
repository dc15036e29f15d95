import { describe, expect, it } from 'vitest';

const module = new URL('../../.jupyter/setup/node-version.mjs', import.meta.url).href;
const { nodeComplaint } = (await import(module)) as { nodeComplaint(version: string): string | undefined };

describe('nodeComplaint()', () => {
  it.each(['v20.19.0', 'v20.20.2', 'v22.12.0', 'v23.0.0', 'v24.21.0'])('takes %s', (version) => {
    expect(nodeComplaint(version)).toBeUndefined();
  });

  it.each(['v18.20.8', 'v20.18.3', 'v21.7.3', 'v22.11.0'])('says what is needed instead of %s', (version) => {
    expect(nodeComplaint(version)).toBe(
      `meterbridge needs Node.js 20.19, 22.12 or newer and this is ${version}: install one from https://nodejs.org and run the command again.`,
    );
  });
});
