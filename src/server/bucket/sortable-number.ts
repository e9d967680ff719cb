/** As many digits as the largest safe integer has. */
const DIGITS = 16

/** A number as it stands in a key: keys are in the order of their numbers then. */
export function sortableNumber(value: number): string {
  return String(value).padStart(DIGITS, '0')
}
