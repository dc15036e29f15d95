import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalStripe } from '../../../src/local-stripe/create-local-stripe.js';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'local-stripe-'));
  file = join(folder, 'stripe.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The lock of another process. */
const writeLock = (owner: object) => writeFileSync(`${file}.lock`, JSON.stringify(owner));

describe('the state’s file', () => {
  it('has one owner, until it is closed', async () => {
    const owner = createLocalStripe({ file });
    const again = () => createLocalStripe({ file });
    expect(again).toThrow(`Cannot open ${file}: process ${process.pid} has it open`);
    await owner.client().customers.create({ email: 'a' });
    await owner.close();
    expect(existsSync(`${file}.lock`)).toBe(false);
    const next = again();
    expect((await next.client().customers.list()).data).toHaveLength(1);
    // The first owner lets go of its own lock only.
    await owner.close();
    expect(again).toThrow('has it open');
    await next.close();
  });

  it('is one file under another name', async () => {
    const owner = createLocalStripe({ file });
    const link = join(folder, 'link.jsonl');
    symlinkSync(file, link);
    expect(() => createLocalStripe({ file: link })).toThrow('has it open');
    await owner.close();
  });

  it('is left alone while another process lives, and taken over when it is gone', async () => {
    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    writeLock({ pid: other.pid });
    const open = () => createLocalStripe({ file });
    expect(open).toThrow(`process ${other.pid} has it open; if that is not so, delete ${file}.lock`);
    expect(existsSync(file)).toBe(false);
    const gone = new Promise((resolve) => other.once('exit', resolve));
    other.kill('SIGKILL');
    await gone;
    const local = open();
    expect(JSON.parse(readFileSync(`${file}.lock`, 'utf8'))).toMatchObject({ pid: process.pid });
    await local.close();
  });

  it('is taken over from a dead process that had the same id', async () => {
    writeLock({ pid: process.pid, started: 'before' });
    await createLocalStripe({ file }).close();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    writeLock({ pid });
    await createLocalStripe({ file }).close();
  });

  it('is let go of when it cannot be read', () => {
    writeFileSync(file, 'hello\n');
    expect(() => createLocalStripe({ file })).toThrow('is not the state');
    expect(existsSync(`${file}.lock`)).toBe(false);
  });
});
