// Sends queries with autocannon as its parent says, and hands over what came back: one answer for each
// request, in the order of their sending. Message in: { url, keys, requests: [[key number, question], …],
// options of autocannon }; message out: { answers, seconds }.
import { once } from 'node:events';
import autocannon from 'autocannon';

const [{ url, keys, requests, options }] = await once(process, 'message');
const answers = [];

const { duration: seconds } = await autocannon({
  url,
  ...options,
  requests: [
    {
      method: 'POST',
      path: '/query',
      // Called as each request is sent; its context is there again with the answer.
      setupRequest(request, context) {
        const [key, question] = requests[answers.length % requests.length];
        context.answer = { key, sentAt: Date.now() };
        context.begun = performance.now();
        answers.push(context.answer);
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${keys[key]}` };
        return { ...request, headers, body: JSON.stringify({ question }) };
      },
      onResponse(status, body, { answer, begun }) {
        const eventId = status === 200 ? JSON.parse(body).usage?.event_id : undefined;
        Object.assign(answer, { status, ms: performance.now() - begun, eventId });
      },
    },
  ],
});
process.send({ answers, seconds }, () => process.exit());
