/** A signup with an e-mail or a company that has a tenant already, or is just getting one. */
export class SignupTakenError extends Error {
  override readonly name = 'SignupTakenError';
  readonly taken: 'e-mail' | 'company';

  /** @param isUnderWay whether another signup with it has not ended yet */
  constructor({ taken, isUnderWay = false }: { taken: 'e-mail' | 'company'; isUnderWay?: boolean }) {
    const state = isUnderWay ? 'is just being signed up' : 'has signed up already';
    super(
      `Cannot sign up: this ${taken} ${state}; whoever has its key may send it along, to try another card`,
    );
    this.taken = taken;
  }
}
