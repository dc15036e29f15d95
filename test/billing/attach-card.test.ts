import { beforeEach, describe, expect, it } from 'vitest';
import { type ManagerWorld, managerWorld } from './manager-world.js';

let world: ManagerWorld;
beforeEach(async () => {
  world = await managerWorld();
});

const cards = async () => (await world.stripe.customers.listPaymentMethods(world.customerId)).data;
const charged = async () => {
  const customer = await world.stripe.customers.retrieve(world.customerId);
  return customer.deleted ? undefined : customer.invoice_settings.default_payment_method;
};

describe('attachPaymentMethod()', () => {
  it('writes under keys of what it means to do', async () => {
    const keys = world.watchKeys();
    await world.addCard();
    const intent = `card:${world.customerId}:pm_card_visa:1`;
    expect(keys).toEqual([`${intent}:attach`, `${intent}:default`]);
  });

  it('repeated after a lost answer attaches one card', async () => {
    world.loseAnswer(/attach$/);
    await expect(world.addCard()).rejects.toThrow(/connection/);
    await world.addCard();
    const [card, ...others] = await cards();
    expect(others).toEqual([]);
    expect(await charged()).toBe(card?.id);
  });

  it('takes one card, another, and both again on the same day', async () => {
    await world.addCard('pm_card_visa');
    await world.addCard('pm_card_mastercard');
    const [mastercard, visa] = await cards();
    for (const card of [visa, mastercard, visa, mastercard, visa]) {
      await world.addCard(card?.id);
      expect(await charged()).toBe(card?.id);
    }
  });

  it('asks the bank again after a refusal', async () => {
    const keys = world.watchKeys();
    for (let time = 1; time <= 2; time += 1)
      await expect(world.addCard('pm_card_chargeDeclinedInsufficientFunds')).rejects.toThrow(
        /declined|funds/,
      );
    const attached = keys.filter((key) => key.endsWith(':attach'));
    expect(new Set(attached).size).toBe(2);
    expect(keys.every((key) => key.startsWith('card:'))).toBe(true);
  });
});
