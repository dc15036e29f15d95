import { describe, expect, it } from 'vitest';
import { type ChartOptions, chart } from '../../src/notebook/chart.js';
import { inKernel } from './kernel-stub.js';

const queries: ChartOptions = {
  title: 'Queries',
  alt: 'acme-corp asked 28,450 queries and beta-inc 8,320.',
  data: [{ type: 'bar', x: ['acme-corp', 'beta-inc'], y: [28450n, 8320] }],
  layout: { yaxis: { title: { text: 'queries' } } },
};

async function sentBy(options: ChartOptions) {
  const sent = inKernel();
  await chart(options);
  expect(sent).toHaveLength(1);
  return sent[0]?.content;
}

describe('chart()', () => {
  it('sends one output: Plotly, picture and text, no HTML and no SVG', async () => {
    const content = await sentBy(queries);
    expect(Object.keys(content?.data ?? {}).sort()).toEqual([
      'application/vnd.plotly.v1+json',
      'image/png',
      'text/plain',
    ]);
    expect(content?.data['text/plain']).toBe('Queries\nacme-corp asked 28,450 queries and beta-inc 8,320.');
  });

  it('gives the picture its size and its alt text', async () => {
    expect((await sentBy({ ...queries, width: 500, height: 300 }))?.metadata).toEqual({
      'image/png': { width: 500, height: 300, alt: 'acme-corp asked 28,450 queries and beta-inc 8,320.' },
    });
  });

  it('hands Plotly plain JSON: a bigint as number, a date in UTC', async () => {
    const content = await sentBy({ ...queries, data: [{ type: 'scatter', x: [new Date(0)], y: [3n] }] });
    expect(content?.data['application/vnd.plotly.v1+json']).toMatchObject({
      data: [{ type: 'scatter', x: ['1970-01-01T00:00:00.000Z'], y: [3] }],
    });
  });

  it("puts the caller's layout over the theme", async () => {
    const content = await sentBy({
      ...queries,
      layout: { yaxis: { title: { text: 'queries' } }, bargap: 0.5 },
    });
    expect(content?.data['application/vnd.plotly.v1+json']).toMatchObject({
      layout: {
        bargap: 0.5,
        paper_bgcolor: '#ffffff',
        yaxis: { showgrid: true, title: { text: 'queries', standoff: 10 } },
      },
    });
  });

  it('breaks a title that is too long', async () => {
    const content = await sentBy({ ...queries, title: 'one two three four five six', width: 160 });
    expect(content?.data['application/vnd.plotly.v1+json']).toMatchObject({
      layout: { title: { text: 'one two three<br>four five six' } },
    });
  });

  it('refuses a chart without alt', async () => {
    await expect(chart({ ...queries, alt: ' ' })).rejects.toThrow(
      new TypeError('Cannot draw a chart without alt: write one sentence that says what the chart shows'),
    );
  });

  it('refuses a chart without title', async () => {
    await expect(chart({ ...queries, title: '' })).rejects.toThrow(
      new TypeError('Cannot draw a chart without a title: title is empty'),
    );
  });
});
