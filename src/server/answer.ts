/** Where the RAG service answers. The kit's answer is a stub with honest token counts: the same question costs the same. */
import { sha256 } from '../invoices/seal.js';

export interface Answer {
  readonly text: string;
  readonly model: string;
  readonly tokensInput: number;
  readonly tokensOutput: number;
}

/** Something that answers, and says beforehand how many tokens that may take at most. */
export interface Answerer {
  mostTokens(question: string): number;
  answer(question: string, asker: { readonly tenantId: string }): Promise<Answer>;
}

/** Tokens of the passages that a retrieval step would put before the question. */
const CONTEXT_TOKENS = 150;
const MOST_OUTPUT_TOKENS = 200;

/** Four characters a token, the usual rule of thumb. */
const tokensOf = (text: string) => CONTEXT_TOKENS + Math.ceil(text.length / 4);

export const stubAnswerer: Answerer = {
  mostTokens: (question) => tokensOf(question) + MOST_OUTPUT_TOKENS,
  answer: async (question) => ({
    text: `A stub answers here; a model would answer ${JSON.stringify(question.slice(0, 80))}.`,
    model: 'gpt-4o',
    tokensInput: tokensOf(question),
    tokensOutput: 1 + (Number.parseInt(sha256(question).slice(0, 4), 16) % MOST_OUTPUT_TOKENS),
  }),
};
