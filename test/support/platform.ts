import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { CheckResult } from '../../src/checks/check.js';
import type { Platform } from '../../src/checks/platform.js';
import { readConfig } from '../../src/config.js';
import { listen } from '../../src/server/listen.js';
import { type OpenPlatform, openPlatform } from '../../src/server/platform.js';
import type { Service } from '../../src/service.js';
import { openServices, type Services } from '../../src/services/open-services.js';

export interface TestPlatform extends OpenPlatform {
  readonly services: Services;
  /** With something else in the client's place than its own. */
  withClient(change: (client: Platform) => Partial<Platform>): Service<Platform>;
  /** Ends the services as well, and removes their folder. */
  end(): Promise<void>;
}

/** A platform in a folder of its own. */
export async function testPlatform(): Promise<TestPlatform> {
  const folder = mkdtempSync(join(tmpdir(), 'meterbridge-platform-'));
  const config = readConfig({ PATH: process.env.PATH });
  const services = await openServices({ workspace: 'test', dataDir: folder, config });
  const platform = await openPlatform(services);
  const { service } = platform;
  if (service.mode === 'off') throw new Error(service.skip);
  return Object.assign(platform, {
    services,
    withClient: (change: (client: Platform) => Partial<Platform>) => ({
      ...service,
      client: { ...service.client, ...change(service.client) },
    }),
    async end() {
      await platform.close();
      await services.close();
      rmSync(folder, { recursive: true });
    },
  });
}

/** What answers in the server's place; `pass` asks the server itself. */
export type Front = (request: Request, pass: (changed?: Request) => Promise<Response>) => Promise<Response>;

/** The platform with something in front of its server, below a path of its own; closed with the test. */
export async function behind({ service }: TestPlatform, front: Front): Promise<Service<Platform>> {
  if (service.mode === 'off') throw new Error(service.skip);
  const pass = async (request: Request) => {
    const path = request.url.replace(/^.*?\/front/, '');
    const { method, headers } = request;
    const body = method === 'POST' ? { body: await request.text() } : {};
    return fetch(new URL(path, service.client.url), { method, headers, ...body });
  };
  const { url, close } = await listen({
    fetch: (request) => front(request, (changed = request) => pass(changed)),
  });
  onTestFinished(close);
  return { ...service, client: { ...service.client, url: `${url}/front/` } };
}

/** The check failed, with this among its lines and this advice. */
export function expectRed(result: CheckResult, problem: string | RegExp, advice: RegExp): void {
  expect(result.status).toBe('fail');
  expect(result.evidence.join('\n')).toMatch(problem);
  expect(result.advice).toMatch(advice);
}
