const NANO = 1e9;

/** A cost in USD in the unit of the database: billionths, since sums of binary fractions are not exact. */
export function toNanoDollars(usd: number): number {
  return Math.round(usd * NANO);
}

/** The way back. */
export function toDollars(nanoDollars: number): number {
  return nanoDollars / NANO;
}
