import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listWorkspaces, openWorkspace, type Workspace } from '../../src/services/workspace.js';
import { runNodeProgram } from '../support/run-program.js';

let dataDir: string;
const opened: Workspace[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'workspace-'));
});
afterEach(() => {
  for (const { close } of opened.splice(0)) close();
  rmSync(dataDir, { recursive: true });
});

const open = (options: { name?: string; reset?: boolean } = {}) => {
  const workspace = openWorkspace({ name: 'm12', dataDir, ...options });
  opened.push(workspace);
  return workspace;
};
const first = () => join(dataDir, 'm12');
/** Leaves a folder with a lock as another process would, so many seconds ago. */
const leave = (folder: string, lock: string, secondsAgo = 0) => {
  mkdirSync(join(dataDir, folder), { recursive: true });
  writeFileSync(join(dataDir, folder, 'lock'), lock);
  const then = Date.now() / 1_000 - secondsAgo;
  utimesSync(join(dataDir, folder, 'lock'), then, then);
};
const deadPid = () => spawnSync(process.execPath, ['-e', '']).pid;

describe('openWorkspace()', () => {
  it('gives the first opener the name, and the next ones numbers', () => {
    expect([open(), open(), open()].map(({ path }) => path)).toEqual([
      first(),
      `${first()}.2`,
      `${first()}.3`,
    ]);
  });

  it('takes a numbered folder away when it closes, and leaves the first with its files', () => {
    const [named, numbered] = [open(), open()];
    for (const { path } of [named, numbered]) writeFileSync(join(path, 'file'), 'x');
    numbered.close();
    named.close();
    expect([readdirSync(dataDir), readdirSync(first())]).toEqual([['m12'], ['file']]);
  });

  it('gives the name again after a close', () => {
    open().close();
    expect(open().path).toBe(first());
  });

  it('keeps what is there, and empties it on request, without giving up the lock', () => {
    mkdirSync(join(first(), 'clickhouse', 'deep'), { recursive: true });
    open().close();
    expect(readdirSync(first())).toEqual(['clickhouse']);
    open({ reset: true });
    expect(readdirSync(first())).toEqual(['lock']);
  });

  it('keeps names apart of which one begins the other', () => {
    expect(
      [open({ name: 'm1' }), open({ name: 'm1-2' }), open({ name: 'm12' })].map(({ path }) => path),
    ).toEqual(['m1', 'm1-2', 'm12'].map((name) => join(dataDir, name)));
  });

  it('takes over from a dead process', () => {
    leave('m12', JSON.stringify({ pid: deadPid() }));
    expect(open().path).toBe(first());
    expect(JSON.parse(readFileSync(join(first(), 'lock'), 'utf8'))).toEqual({
      pid: process.pid,
      started: expect.any(String),
    });
  });

  it.skipIf(!existsSync('/proc/self/stat'))(
    'takes over from a dead process whose number somebody has now, it itself or another',
    () => {
      leave('m12', JSON.stringify({ pid: process.ppid, started: 'before' }));
      leave('m13', JSON.stringify({ pid: process.pid, started: 'before' }));
      expect([open().path, open({ name: 'm13' }).path]).toEqual([first(), join(dataDir, 'm13')]);
    },
  );

  it('leaves a living process alone', () => {
    leave('m12', JSON.stringify({ pid: process.ppid }));
    expect(open().path).toBe(`${first()}.2`);
  });

  it('takes over a lock from before the machine started, whoever has that number now', () => {
    leave('m12', JSON.stringify({ pid: process.ppid }), 10 * 365 * 86_400);
    expect(open().path).toBe(first());
  });

  it.each(['', '{"pi', 'null', '[]', '{"pid":"7"}'])('survives the torn lock %j', (lock) => {
    leave('m12', lock, 6);
    expect(open().path).toBe(first());
  });

  it('does not take a lock that is being written', () => {
    leave('m12', '');
    expect(open().path).toBe(`${first()}.2`);
  });

  it('sweeps what killed processes left, numbered and half removed', () => {
    const dead = deadPid();
    for (const folder of ['m12.2', 'm12.7']) leave(folder, JSON.stringify({ pid: dead }));
    leave('m12.3', JSON.stringify({ pid: process.ppid }));
    mkdirSync(join(dataDir, `m12.9.${dead}`));
    mkdirSync(join(dataDir, 'm12.txt'));
    leave('m13.2', JSON.stringify({ pid: dead }));
    open();
    expect(readdirSync(dataDir).sort()).toEqual(['m12', 'm12.3', 'm12.txt', 'm13.2']);
  });

  it('keeps a folder with events that were not sent, when it closes and when it is swept, and names them', () => {
    const [, numbered] = [open(), open()];
    writeFileSync(join(numbered.path, 'fallback.jsonl'), 'an event\n');
    for (const { close } of opened.splice(0)) close();
    leave('m12.3', JSON.stringify({ pid: deadPid() }));
    writeFileSync(join(dataDir, 'm12.3', 'fallback.jsonl'), '');
    const unsent = join(dataDir, 'm12.2', 'fallback.jsonl');
    expect([open().unsent, readFileSync(unsent, 'utf8')]).toEqual([[unsent], 'an event\n']);
    expect(readdirSync(dataDir).sort()).toEqual(['m12', 'm12.2']);
    // Whoever gets the folder has the events anyway.
    const next = open();
    expect([next.path, next.unsent]).toEqual([`${first()}.2`, []]);
    rmSync(unsent);
  });

  it('gives the lock back when the process ends without closing', async () => {
    const built = fileURLToPath(new URL('../../.build/services/workspace.js', import.meta.url));
    const script = `
      const { openWorkspace } = await import(${JSON.stringify(built)});
      const options = { name: 'm12', dataDir: ${JSON.stringify(dataDir)} };
      openWorkspace(options);
      openWorkspace(options);
      process.exit();`;
    await runNodeProgram(['--input-type=module', '-e', script]);
    expect([readdirSync(dataDir), readdirSync(first())]).toEqual([['m12'], []]);
  });

  it('keeps processes apart that open and close at the same time', async () => {
    const built = fileURLToPath(new URL('../../.build/services/workspace.js', import.meta.url));
    const script = `
      const { openWorkspace } = await import(${JSON.stringify(built)});
      const { writeFileSync } = await import('node:fs');
      const held = [];
      for (let round = 1; round <= 60; round += 1) {
        const workspace = openWorkspace({ name: 'm12', dataDir: ${JSON.stringify(dataDir)} });
        writeFileSync(workspace.path + '/owner', '', { flag: workspace.path.endsWith('m12') ? 'w' : 'wx' });
        held.push(workspace);
        if (held.length > 2) held.shift().close();
      }
      for (const { close } of held) close();`;
    const ends = await Promise.all(
      [1, 2, 3].map(() => runNodeProgram(['--input-type=module', '-e', script])),
    );
    expect(ends).toEqual([1, 2, 3].map(() => ({ code: 0, printed: '' })));
    expect([readdirSync(dataDir), readdirSync(first())]).toEqual([['m12'], ['owner']]);
  });

  it.each(['', '.', '..', '../x', 'a/b', 'A', 'a b', '-a', 'a.2', 'a\n', 'é', 'a'.repeat(42)])(
    'refuses the name %j',
    (name) => {
      expect(() => open({ name })).toThrow(
        new RangeError(
          `Cannot open workspace: its name must be small letters, digits and dashes, current value is ${JSON.stringify(name)}`,
        ),
      );
      expect(readdirSync(dataDir)).toEqual([]);
    },
  );

  it('refuses a folder that is a file', () => {
    writeFileSync(first(), '');
    expect(() => open()).toThrow(/EEXIST|ENOTDIR/);
  });
});

describe('listWorkspaces()', () => {
  it('tells what no living process holds from the others', () => {
    const held = open();
    leave('killed', JSON.stringify({ pid: deadPid() }));
    mkdirSync(join(dataDir, 'closed'));
    writeFileSync(join(dataDir, 'file'), '');
    expect(listWorkspaces(dataDir).idle.sort()).toEqual(['closed', 'killed']);
    expect(listWorkspaces(dataDir).busy).toEqual(['m12']);
    held.close();
    expect(listWorkspaces(dataDir).idle.sort()).toEqual(['closed', 'killed', 'm12']);
  });

  it('is empty without the folder', () => {
    expect(listWorkspaces(join(dataDir, 'nowhere'))).toEqual({ idle: [], busy: [] });
    expect(existsSync(join(dataDir, 'nowhere'))).toBe(false);
  });
});
