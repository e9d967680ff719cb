/**
 * What `update` takes, given what may be inserted: every property may be left out, at every depth, and stays then.
 * `undefined` puts a property that may be absent back to its default. Arrays and bytes are replaced as a whole.
 */
export type Patch<Insert> = { readonly [K in keyof Insert]?: PatchValue<Insert[K]> }

type PatchValue<V> = V extends object ? (V extends Uint8Array | readonly unknown[] ? V : Patch<V>) : V
