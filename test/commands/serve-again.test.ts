import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { projectCopy } from '../support/project-copy.js';

it('npm run serve starts again beside the tenants that signed up', async () => {
  const copy = projectCopy();
  onTestFinished(() => copy.remove());
  const program = join(copy.folder, '.build', 'commands', 'serve.js');
  const start = async () => {
    const env = { PATH: process.env.PATH, MB_EVENTS: '105000' };
    const child = spawn(process.execPath, [program, '--port', '0'], { cwd: copy.folder, env });
    onTestFinished(() => void child.kill('SIGKILL'));
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (printed += text));
    const ended = once(child, 'exit').then(([code]) => (printed += `\nexit ${code}`));
    await expect.poll(() => printed, { timeout: 30_000 }).toMatch(/charlie-co: mb_|exit/);
    const stop = async () => {
      child.kill('SIGTERM');
      await ended;
    };
    return { url: /Listening on (\S+)/.exec(printed)?.[1], printed, stop };
  };
  const first = await start();
  const signup = {
    company: 'New Ltd',
    email: 'ann@new.example',
    plan: 'pro',
    payment_method: 'pm_card_visa',
  };
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${first.url}/signup`, {
    method: 'POST',
    headers,
    body: JSON.stringify(signup),
  });
  const { api_key, status_url } = (await answer.json()) as { api_key: string; status_url: string };
  const stateAt = async (url?: string) => {
    const response = await fetch(`${url}${status_url}`, { headers: { authorization: `Bearer ${api_key}` } });
    return ((await response.json()) as { state: string }).state;
  };
  await expect.poll(() => stateAt(first.url), { timeout: 20_000 }).toBe('active');
  await first.stop();
  const again = await start();
  expect(again.printed).toContain('Listening on');
  expect(await stateAt(again.url)).toBe('active');
  await again.stop();
});
