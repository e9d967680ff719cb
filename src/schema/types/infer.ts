/**
 * infer: JSON Schema to TypeScript. Recursion through properties and items is lazy, so recursive schemas become
 * recursive types; only chains of `$ref` are counted.
 * @module
 */

/**
 * Which side a type is for: `row` is what is read (defaults are present), `insert` is what is written (defaults may be
 * left out), `json` is the inside of a JSON column, where defaults do nothing and every value is plain JSON.
 */
export type InferMode = 'row' | 'insert' | 'json'

/**
 * The TypeScript type of a JSON Schema. `Root` is the document that `$ref` points into. The type is deeply readonly.
 * `format: 'int64'` is `bigint` and `contentEncoding: 'base64'` is `Uint8Array`, except inside a JSON column.
 */
export type InferSchema<JS, Root = JS, Mode extends InferMode = 'row'> = Infer<JS, Root, Mode, []>

type Infer<JS, Root, M, Hops extends readonly unknown[]> = JS extends boolean
  ? JS extends true
    ? unknown
    : never
  : JS extends { readonly static: infer T; readonly params: unknown }
    ? Frozen<T>
    : JS extends { readonly $ref: infer P }
      ? Hops['length'] extends 8
        ? unknown
        : Infer<Resolve<Root, P>, Root, M, [...Hops, 0]>
      : JS extends { readonly const: infer C }
        ? C
        : JS extends { readonly enum: readonly (infer E)[] }
          ? E
          : JS extends { readonly allOf: infer A }
            ? Flat<InferAll<A, Root, M, Hops> & InferUnion<JS, Root, M, Hops>>
            : InferUnion<JS, Root, M, Hops>

type InferAll<A, Root, M, Hops extends readonly unknown[]> = A extends readonly [infer First, ...infer Rest]
  ? Infer<First, Root, M, Hops> & InferAll<Rest, Root, M, Hops>
  : unknown

type InferUnion<JS, Root, M, Hops extends readonly unknown[]> = JS extends
  | { readonly anyOf: readonly (infer B)[] }
  | { readonly oneOf: readonly (infer B)[] }
  ? JS extends { readonly type: unknown } | { readonly properties: unknown }
    ? Flat<InferTyped<JS, Root, M> & InferBranch<B, Root, M, Hops>>
    : InferBranch<B, Root, M, Hops>
  : InferTyped<JS, Root, M>

// Alternatives that are objects have no columns of their own: they are one JSON column.
type InferBranch<B, Root, M, Hops extends readonly unknown[]> = B extends { readonly properties: unknown }
  ? Infer<B, Root, 'json', Hops>
  : Infer<B, Root, M, Hops>

type InferTyped<JS, Root, M> = JS extends { readonly type: infer T }
  ? T extends readonly (infer U)[]
    ? InferNamed<U, JS, Root, M>
    : InferNamed<T, JS, Root, M>
  : JS extends { readonly properties: unknown } | { readonly additionalProperties: object }
    ? InferObject<JS, Root, M>
    : JS extends { readonly items: unknown } | { readonly prefixItems: unknown }
      ? InferArray<JS, Root>
      : unknown

type InferNamed<T, JS, Root, M> = T extends 'string'
  ? M extends 'json'
    ? string
    : JS extends { readonly contentEncoding: 'base64' }
      ? Uint8Array
      : string
  : T extends 'number'
    ? number
    : T extends 'boolean'
      ? boolean
      : T extends 'integer'
        ? M extends 'json'
          ? number
          : JS extends { readonly format: 'int64' }
            ? bigint
            : number
        : T extends 'null'
          ? null
          : T extends 'object'
            ? InferObject<JS, Root, M>
            : T extends 'array'
              ? InferArray<JS, Root>
              : unknown

type InferArray<JS, Root> = JS extends { readonly prefixItems: infer P extends readonly unknown[] }
  ? JS extends { readonly items: infer I }
    ? InferTuple<P, I, JS, Root>
    : InferTuple<P, JS extends { readonly maxItems: P['length'] } ? false : true, JS, Root>
  : JS extends { readonly items: infer I }
    ? I extends readonly unknown[]
      ? InferTuple<I, JS extends { readonly additionalItems: infer A } ? A : true, JS, Root>
      : readonly Infer<I, Root, 'json', []>[]
    : readonly unknown[]

// JSON Schema lets a tuple be shorter than its list, unless `minItems` says how long it is.
type InferTuple<P extends readonly unknown[], Rest, JS, Root> = JS extends { readonly minItems: P['length'] }
  ? InferRest<{ [I in keyof P]: Infer<P[I], Root, 'json', []> }, Rest, Root>
  : InferRest<{ [I in keyof P]?: Infer<P[I], Root, 'json', []> }, Rest, Root>

type InferRest<T extends readonly unknown[], Rest, Root> = Rest extends false
  ? Readonly<T>
  : readonly [...T, ...Infer<Rest, Root, 'json', []>[]]

type InferObject<JS, Root, M> = JS extends { readonly properties: infer Ps }
  ? JS extends { readonly additionalProperties: infer A extends object }
    ? InferOpen<InferProperties<Ps, RequiredKeys<JS>, Root, 'json'>, Infer<A, Root, 'json', []>>
    : InferProperties<Ps, RequiredKeys<JS>, Root, M>
  : JS extends
        | { readonly additionalProperties: infer A }
        | { readonly patternProperties: { readonly [pattern: string]: infer A } }
    ? { readonly [key: string]: Infer<A, Root, 'json', []> }
    : { readonly [key: string]: unknown }

// An index signature has to admit the named properties as well.
type InferOpen<Named, Other> = Named & { readonly [key: string]: Named[keyof Named] | Other | undefined }

type RequiredKeys<JS> = JS extends { readonly required: readonly (infer R)[] } ? (string extends R ? never : R) : never

type InferProperties<Ps, R, Root, M> = M extends 'json'
  ? Properties<Ps, R & keyof Ps, Root, M>
  : Properties<Ps, M extends 'row' ? PresentKeys<Ps, R, Root> : MissingKeys<Ps, R, Root>, Root, M>

// `undefined` is "absent" in what is written; what is read has no such value.
type Properties<Ps, Must extends keyof Ps, Root, M> = Flat<
  { readonly [K in Must]: Infer<Ps[K], Root, M, []> } & {
    readonly [K in Exclude<keyof Ps, Must>]?: Infer<Ps[K], Root, M, []> | (M extends 'insert' ? undefined : never)
  }
>

type PresentKeys<Ps, R, Root> = {
  [K in keyof Ps]: K extends R ? K : Filled<Ps[K], Root, []> extends true ? K : never
}[keyof Ps]

type MissingKeys<Ps, R, Root> = {
  [K in keyof Ps]: K extends R ? (Filled<Ps[K], Root, []> extends true ? never : K) : never
}[keyof Ps]

/** Whether defaults alone make a value: its own, or in an object at least one, and one for each required property. */
type Filled<P, Root, Hops extends readonly unknown[]> = P extends { readonly default: unknown }
  ? true
  : P extends { readonly type: 'object'; readonly properties: infer Ps }
    ? true extends { [K in keyof Ps]: Filled<Ps[K], Root, Hops> }[keyof Ps]
      ? false extends { [K in keyof Ps & RequiredKeys<P>]: Filled<Ps[K], Root, Hops> }[keyof Ps & RequiredKeys<P>]
        ? false
        : true
      : false
    : P extends { readonly $ref: infer R }
      ? Hops['length'] extends 3
        ? false
        : Filled<Resolve<Root, R>, Root, [...Hops, 0]>
      : false

type Resolve<Root, Pointer> = Pointer extends '#' ? Root : Pointer extends `#/${infer Path}` ? Walk<Root, Path> : true

type Walk<T, Path extends string> = Path extends `${infer Head}/${infer Rest}`
  ? Head extends keyof T
    ? Walk<T[Head], Rest>
    : true
  : Path extends keyof T
    ? T[Path]
    : true

/** An intersection of objects as one object; anything else as it is. */
type Flat<T> = T extends Uint8Array | readonly unknown[] ? T : T extends object ? { [K in keyof T]: T[K] } : T

/** What TypeBox infers, readonly. */
type Frozen<T> = T extends Uint8Array | Date ? T : T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T
