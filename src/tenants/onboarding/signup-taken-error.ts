/** A signup with an e-mail that has a tenant already, or is just getting one; or with a name whose id is taken. */
export class SignupTakenError extends Error {
  override readonly name = 'SignupTakenError';
  readonly taken: 'e-mail' | 'company';

  /**
   * @param facts `tenantId`: made of the company's name; names that differ may give the same. `isUnderWay`:
   *   whether another signup with it has not ended yet
   */
  constructor(facts: { taken: 'e-mail' | 'company'; tenantId: string; isUnderWay?: boolean }) {
    const { taken, tenantId, isUnderWay = false } = facts;
    const [what, others] =
      taken === 'e-mail'
        ? [`this e-mail ${isUnderWay ? 'is just being signed up' : 'has signed up already'}`, '']
        : [
            `the id ${tenantId}, which the company's name gives, is ${isUnderWay ? 'just being taken' : 'taken'}`,
            '; another company needs another name',
          ];
    super(`Cannot sign up: ${what}; whoever has its key may send it along, to try another card${others}`);
    this.taken = taken;
  }
}
