/** A key as one segment of a path: a dot within it is written `\.`. */
export type EscapeKey<K extends string> = K extends `${infer Head}.${infer Tail}` ? `${Head}\\.${EscapeKey<Tail>}` : K

// A type that holds itself would have endless paths. Down to this many levels each path is exact; below, it is within types
// that do not hold themselves, and any text within one that does.
type Below = [0, 0, 1, 2, 3, 4, 5, 6]
type Level = Below[number]

/** Every property path of a row, nested objects included; arrays are passed through with a number. */
export type Path<T, D extends Level = 6, Seen extends readonly unknown[] = []> = unknown extends T
  ? string
  : T extends Uint8Array
    ? never
    : T extends readonly (infer E)[]
      ? Under<`${number}`, E, D, Seen>
      : T extends object
        ? string extends keyof T
          ? string
          : Ends<T, Seen> extends true
            ? string
            : { [K in keyof T & string]-?: Under<EscapeKey<K>, T[K], D, After<T, D, Seen>> }[keyof T & string]
        : never

type Under<Name extends string, V, D extends Level, Seen extends readonly unknown[]> = [V] extends [Scalar]
  ? Name
  : Name | `${Name}.${Path<NonNullable<V>, Below[D], Seen>}`

/** The types that hold what comes next, from where it matters. */
type After<T, D extends Level, Seen extends readonly unknown[]> = D extends 0 ? [...Seen, T] : []

/** Whether a type lies within itself, or deeper than is spelled out of any. */
type Ends<T, Seen extends readonly unknown[]> = Seen extends readonly []
  ? false
  : Seen['length'] extends 12
    ? true
    : true extends { [I in keyof Seen]: Same<Seen[I], T> }[number]
      ? true
      : false

// With their names, since objects of nothing but optional properties are all assignable to one another.
type Same<A, B> = [keyof A, A] extends [keyof B, B] ? ([keyof B, B] extends [keyof A, A] ? true : false) : false

type Scalar = string | number | boolean | bigint | null | undefined

/** A path as a list of segments: keys unescaped, array indexes as numbers. */
export type PathSegments = readonly [string, ...(string | number)[]]

/** Anything for a dotted path or a list of segments that leads somewhere, else a message. */
export type CheckPath<T, P> = P extends readonly unknown[]
  ? [ValueAt<T, P>] extends [never]
    ? 'these segments lead nowhere in the row'
    : unknown
  : unknown

/**
 * The value at a path (dotted or in segments), `undefined` included where the value or what holds it can be absent.
 * `never` for a path that isn't there.
 */
export type ValueAt<T, P> = P extends string
  ? WalkText<T, P, undefined>
  : P extends readonly unknown[]
    ? WalkSegments<T, P, undefined>
    : never

/** What may be written at a path, given what may be inserted: without the `undefined` that absent parents add. */
export type InputAt<Insert, P> = P extends string
  ? WalkText<Insert, P, never>
  : P extends readonly unknown[]
    ? WalkSegments<Insert, P, never>
    : never

// An own key first: the path of a top-level property is the most frequent, and needs no splitting.
type WalkText<T, P extends string, Gap> = unknown extends T
  ? unknown
  : P extends keyof T & string
    ? string extends keyof T
      ? WalkSplit<T, P, Gap>
      : Property<T, P, Gap>
    : WalkSplit<T, P, Gap>

type WalkSplit<T, P extends string, Gap, Seen extends string = ''> = P extends `${infer Head}.${infer Tail}`
  ? Head extends `${infer Start}\\`
    ? WalkSplit<T, Tail, Gap, `${Seen}${Start}.`>
    : Continue<Property<T, `${Seen}${Head}`, Gap>, Tail, Gap>
  : Property<T, `${Seen}${P}`, Gap>

type Continue<V, Tail extends string, Gap> = V extends null | undefined ? Gap : WalkText<V, Tail, Gap>

type WalkSegments<T, P extends readonly unknown[], Gap> = unknown extends T
  ? unknown
  : P extends readonly [infer Head, ...infer Tail]
    ? Tail extends readonly []
      ? Property<T, `${Head & (string | number)}`, Gap>
      : ContinueSegments<Property<T, `${Head & (string | number)}`, Gap>, Tail, Gap>
    : unknown

type ContinueSegments<V, Tail extends readonly unknown[], Gap> = V extends null | undefined
  ? Gap
  : WalkSegments<V, Tail, Gap>

type Property<T, K extends string, Gap> = T extends readonly (infer E)[]
  ? K extends `${number}`
    ? K extends keyof T
      ? T[K]
      : E | Gap
    : never
  : K extends keyof T
    ? T[K]
    : never

/** One column of a row as `[path, value]`: a leaf, or an array or free-form object as a whole. */
export type Leaf<
  T,
  Prefix extends string = '',
  D extends Level = 6,
  Seen extends readonly unknown[] = [],
> = T extends object
  ? Ends<T, Seen> extends true
    ? readonly [`${Prefix}${string}`, Exclude<Scalar, null | undefined>]
    : {
        [K in keyof T & string]-?: [T[K]] extends [Scalar]
          ? readonly [`${Prefix}${EscapeKey<K>}`, T[K]]
          : [NonNullable<T[K]>] extends [Whole]
            ? readonly [`${Prefix}${EscapeKey<K>}`, T[K]]
            : string extends keyof NonNullable<T[K]>
              ? readonly [`${Prefix}${EscapeKey<K>}`, T[K]]
              : unknown extends T[K]
                ? readonly [`${Prefix}${EscapeKey<K>}`, T[K]]
                : Leaf<NonNullable<T[K]>, `${Prefix}${EscapeKey<K>}.`, Below[D], After<T, D, Seen>>
      }[keyof T & string]
  : never

/** What every leaf is. */
export type AnyLeaf = readonly [path: string, value: unknown]

type Whole = Uint8Array | readonly unknown[]

/** The paths of a row's columns: what `where` can name. */
export type LeafPath<T> = string extends keyof T ? string : Leaf<T> extends infer L extends AnyLeaf ? L[0] : never
