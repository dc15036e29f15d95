// Two ways in turn, A B A B …: what is compared is each A with the B beside it, so that a busy moment
// of the machine hits both.

/** The middle of some numbers. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Runs both `rounds` times after one warm-up each; `a` and `b` give a figure, e.g. seconds. */
export async function pairs(a, b, { rounds = 7 } = {}) {
  await a();
  await b();
  const seen = [];
  for (let round = 0; round < rounds; round += 1) seen.push([await a(), await b()]);
  return {
    a: median(seen.map(([left]) => left)),
    b: median(seen.map(([, right]) => right)),
    ratio: median(seen.map(([left, right]) => left / right)),
  };
}

/** Seconds that a piece of work takes. */
export async function seconds(work) {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1_000;
}
