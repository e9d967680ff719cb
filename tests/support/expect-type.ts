/** `true` if two types are the same, readonly and optional marks included. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Compiles if `A` and `B` are the same type: `expectType<Equal<A, B>>()`. */
export function expectType<_Same extends true>(): void {
  // Nothing happens at run time: the type argument is the test.
}
