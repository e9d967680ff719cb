/** Whether the properties of an object have columns of their own. */
export type IsObject<V, JS, Root, Refs> = [V] extends [
  string | number | bigint | boolean | Uint8Array | readonly unknown[],
]
  ? false
  : [V] extends [object]
    ? // Alternatives, an object without named properties, or one that holds itself: JSON.
      true extends IsUnion<V> | IsNever<keyof Declared<V>> | IsBranching<Resolved<JS, Root>>
      ? false
      : IsNever<RefOf<JS> & Refs>
    : false

/** Objects whose properties depend on their contents are one JSON column. */
type IsBranching<JS> = JS extends
  | { readonly if: unknown }
  | { readonly not: unknown }
  | { readonly dependentSchemas: unknown }
  | { readonly dependencies: unknown }
  | { readonly oneOf: unknown; readonly properties: unknown }
  | { readonly anyOf: unknown; readonly properties: unknown }
  ? true
  : false

export type SchemaAt<JS, K extends string> = JS extends { readonly properties: infer Ps }
  ? K extends keyof Ps
    ? Ps[K]
    : unknown
  : unknown

export type RefOf<JS> = JS extends { readonly $ref: infer R } ? R : never

export type Resolved<JS, Root> = JS extends { readonly $ref: `#/${infer Path}` } ? Walk<Root, Path> : JS

type Walk<T, Path extends string> = Path extends `${infer Head}/${infer Tail}`
  ? Head extends keyof T
    ? Walk<T[Head], Tail>
    : unknown
  : Path extends keyof T
    ? T[Path]
    : unknown

/** The properties that are named, without an index signature. */
export type Declared<T> = { [K in keyof T as string extends K ? never : number extends K ? never : K]: T[K] }

type IsUnion<T, All = T> = T extends unknown ? ([All] extends [T] ? false : true) : never
type IsNever<T> = [T] extends [never] ? true : false
