/** `POST /query`: through the gate, answered, and billed. */
import { z } from 'zod';
import { InvalidInputError } from '../errors.js';
import { parseInput, text } from '../input.js';
import { trackUsage } from '../metering/track-usage.js';
import { stubAnswerer } from './answer.js';
import type { AppOptions } from './app.js';
import type { TenantApp } from './authenticate.js';
import { jsonBody } from './json-body.js';
import { problem } from './problem.js';
import { rateLimitHeaders } from './rate-limit-headers.js';
import { refusedTenant } from './refused-tenant.js';

const queryBody = z.strictObject({
  question: text.trim().min(1, 'must not be empty').max(8_000, 'must be at most 8,000 characters'),
});

/**
 * What was answered is billed: it waits until its event is on the disk (about a millisecond, requests at the
 * same time share one write) or stored, so that a kill loses none of them.
 */
export function addQueryRoute(app: TenantApp, options: AppOptions): void {
  const { gate, tracker, limitsOf, answerer = stubAnswerer, now = () => new Date() } = options;

  app.post('/query', async (context) => {
    const { question } = parseInput(queryBody, 'query', await jsonBody(context, 'query'));
    // What cannot be recorded is not begun: memory would grow without end.
    if (tracker.isFull) return problem(503, 'Usage cannot be recorded right now', { 'retry-after': '5' });
    const { tenantId, enabled } = context.get('holder');
    if (!enabled) return refusedTenant('onboarding');
    const limits = await limitsOf(tenantId);
    if (typeof limits === 'string') return refusedTenant(limits);
    const request = {
      tenantId,
      amounts: { queries: 1, tokens: answerer.mostTokens(question) },
      limits,
      now: now(),
    };
    const decision = await gate.reserve(request).catch((error: unknown) => {
      if (error instanceof InvalidInputError) throw error;
      console.error(error);
      return undefined;
    });
    if (!decision) return problem(503, 'The quota cannot be looked up right now', { 'retry-after': '5' });
    const headers = rateLimitHeaders(decision, request.now);
    if (!decision.allowed) {
      return problem(429, `The day's quota of ${decision.refusedBy} is used up`, headers);
    }
    let used = 0;
    const call = { tenantId, timestamp: request.now, endpoint: '/query' };
    const { answer, event } = await trackUsage(tracker, call, async (report) => {
      const given = await answerer.answer(question, { tenantId });
      used = given.tokensInput + given.tokensOutput;
      report({ model: given.model, tokensInput: given.tokensInput, tokensOutput: given.tokensOutput });
      return given;
    }).finally(() => {
      const unused = Math.max(0, request.amounts.tokens - used);
      // Without its refund the day's count is only too high; the answer does not depend on it.
      return gate.refund({ ...request, amounts: { queries: 0, tokens: unused } }).catch(() => undefined);
    });
    // The answer was paid for and is given in any case; where neither the disk nor ClickHouse takes its
    // event, that waits in memory, and /health says so.
    await tracker.durable?.().catch((error: unknown) => console.error(error));
    return context.json(
      {
        answer: answer.text,
        usage: {
          event_id: event.event_id,
          tokens_input: event.tokens_input,
          tokens_output: event.tokens_output,
          cost_usd: event.cost_usd,
        },
      },
      200,
      headers,
    );
  });
}
