import type { InferSchema } from '../../src/schema/types/index.ts'
import { test } from 'vitest'
import { type Equal, expectType } from '../support/expect-type.ts'

type Row<JS> = InferSchema<JS>
type Insert<JS> = InferSchema<JS, JS, 'insert'>
type Point = { type: 'object'; required: readonly ['x']; properties: { x: { type: 'number' }; y: { type: 'number' } } }

test('scalars, enums and constants have their TypeScript types', () => {
  expectType<Equal<Row<{ type: 'string' }>, string>>()
  expectType<Equal<Row<{ type: 'integer' }>, number>>()
  expectType<Equal<Row<{ type: 'integer'; format: 'int64' }>, bigint>>()
  expectType<Equal<Row<{ type: 'string'; contentEncoding: 'base64' }>, Uint8Array>>()
  expectType<Equal<Row<{ type: readonly ['string', 'null'] }>, string | null>>()
  expectType<Equal<Row<{ type: ['number', 'boolean'] }>, number | boolean>>()
  expectType<Equal<Row<{ type: 'string'; enum: readonly ['pin', 'area'] }>, 'pin' | 'area'>>()
  expectType<Equal<Row<{ const: 7 }>, 7>>()
  expectType<Equal<Row<true>, unknown>>()
  expectType<Equal<Row<false>, never>>()
  expectType<Equal<Row<{ title: 'anything' }>, unknown>>()
})

test('arrays and tuples are readonly, and what is inside them is plain JSON', () => {
  expectType<Equal<Row<{ type: 'array'; items: { type: 'string' } }>, readonly string[]>>()
  expectType<Equal<Row<{ type: 'array' }>, readonly unknown[]>>()
  expectType<Equal<Row<{ type: 'array'; items: { type: 'string'; contentEncoding: 'base64' } }>, readonly string[]>>()
  expectType<Equal<Row<{ type: 'array'; items: { type: 'integer'; format: 'int64' } }>, readonly number[]>>()
  type Pair = readonly [{ type: 'number' }, { type: 'string' }]
  expectType<Equal<Row<{ type: 'array'; prefixItems: Pair; items: false; minItems: 2 }>, readonly [number, string]>>()
  expectType<Equal<Row<{ type: 'array'; prefixItems: Pair; items: false }>, readonly [number?, string?]>>()
  expectType<
    Equal<
      Row<{ type: 'array'; prefixItems: Pair; items: { type: 'boolean' }; minItems: 2 }>,
      readonly [number, string, ...boolean[]]
    >
  >()
  expectType<
    Equal<Row<{ type: 'array'; items: Pair; additionalItems: false; minItems: 2 }>, readonly [number, string]>
  >()
  expectType<
    Equal<
      Row<{
        type: 'array'
        items: {
          type: 'object'
          required: ['x']
          properties: { x: { type: 'number' }; y: { type: 'number'; default: 0 } }
        }
      }>,
      readonly { readonly x: number; readonly y?: number }[]
    >
  >()
})

test('objects have their required and optional properties, free-form ones an index signature', () => {
  expectType<Equal<Row<Point>, { readonly x: number; readonly y?: number }>>()
  expectType<Equal<Insert<Point>, { readonly x: number; readonly y?: number | undefined }>>()
  expectType<Equal<Row<Point & { additionalProperties: false }>, { readonly x: number; readonly y?: number }>>()
  expectType<Equal<Row<{ type: 'object' }>, { readonly [key: string]: unknown }>>()
  expectType<
    Equal<Row<{ type: 'object'; additionalProperties: { type: 'number' } }>, { readonly [key: string]: number }>
  >()
  expectType<
    Equal<Row<{ type: 'object'; patternProperties: { '^x': { type: 'number' } } }>, { readonly [key: string]: number }>
  >()
  type Open = Row<{
    type: 'object'
    required: ['id']
    properties: { id: { type: 'string' } }
    additionalProperties: { type: 'number' }
  }>
  expectType<Equal<Open['id'], string>>()
  expectType<Equal<Open['other'], string | number | undefined>>()
})

test('a default makes a property present in a row and optional in an insert, at every depth', () => {
  type Text = {
    type: 'object'
    required: ['id']
    properties: {
      id: { type: 'string' }
      rank: { type: 'integer'; default: 0 }
      text: {
        type: 'object'
        properties: {
          value: { type: 'string' }
          font: {
            type: 'object'
            required: ['size']
            properties: { size: { type: 'number'; default: 12 }; family: { type: 'string' } }
          }
        }
      }
      link: { type: 'object'; required: ['href']; properties: { href: { type: 'string' }; open: { default: true } } }
      note: { type: 'object'; properties: { body: { type: 'string' } } }
      old: { type: ['object', 'null']; properties: { a: { type: 'number'; default: 1 } } }
    }
  }
  expectType<
    Equal<
      Row<Text>,
      {
        readonly id: string
        readonly rank: number
        readonly text: {
          readonly value?: string
          readonly font: { readonly size: number; readonly family?: string }
        }
        readonly link?: { readonly href: string; readonly open: unknown }
        readonly note?: { readonly body?: string }
        readonly old?: { readonly a: number } | null
      }
    >
  >()
  expectType<
    Equal<
      Insert<Text>,
      {
        readonly id: string
        readonly rank?: number | undefined
        readonly text?:
          | {
              readonly value?: string | undefined
              readonly font?: { readonly size?: number | undefined; readonly family?: string | undefined } | undefined
            }
          | undefined
        readonly link?: { readonly href: string; readonly open?: unknown } | undefined
        readonly note?: { readonly body?: string | undefined } | undefined
        readonly old?: { readonly a?: number | undefined } | null | undefined
      }
    >
  >()
})

test('anyOf and oneOf are unions, allOf is one object', () => {
  expectType<Equal<Row<{ anyOf: [{ type: 'string' }, { type: 'null' }] }>, string | null>>()
  expectType<Equal<Row<{ oneOf: [{ const: 'auto' }, { type: 'integer'; format: 'int64' }] }>, 'auto' | bigint>>()
  expectType<
    Equal<
      Row<{ type: 'string'; anyOf: [{ format: 'date' }, { pattern: 'x' }]; if: { const: 'a' }; then: false }>,
      string
    >
  >()
  expectType<
    Equal<
      Row<{ allOf: [Point, { type: 'object'; required: ['z']; properties: { z: { type: 'string' } } }] }>,
      { readonly x: number; readonly y?: number; readonly z: string }
    >
  >()
})

test('local references are followed, recursive ones too', () => {
  type Tree = {
    type: 'object'
    required: ['color', 'children']
    properties: {
      color: { $ref: '#/$defs/color' }
      old: { $ref: '#/definitions/name' }
      tint: { $ref: '#/$defs/color'; default: '#fff' }
      style: { $ref: '#/$defs/style' }
      children: { type: 'array'; items: { $ref: '#' } }
      lost: { $ref: '#/$defs/nowhere' }
      loop: { $ref: '#/$defs/loop' }
    }
    $defs: {
      color: { type: 'string' }
      style: { type: 'object'; properties: { width: { type: 'number'; default: 1 } } }
      loop: { $ref: '#/$defs/loop' }
    }
    definitions: { name: { type: 'number' } }
  }
  type TreeRow = Row<Tree>
  expectType<Equal<TreeRow['color'], string>>()
  expectType<Equal<TreeRow['old'], number | undefined>>()
  expectType<Equal<TreeRow['tint'], string>>()
  expectType<Equal<TreeRow['style'], { readonly width: number }>>()
  expectType<Equal<TreeRow['children'][0]['children'][0]['color'], string>>()
  expectType<Equal<TreeRow['lost'], unknown>>()
  expectType<Equal<TreeRow['loop'], unknown>>()
  type Json = {
    $defs: {
      json: {
        anyOf: [
          { type: ['string', 'number', 'boolean', 'null'] },
          { type: 'array'; items: { $ref: '#/$defs/json' } },
          { type: 'object'; additionalProperties: { $ref: '#/$defs/json' } },
        ]
      }
    }
    $ref: '#/$defs/json'
  }
  const json: Row<Json> = { a: [1, { b: null }] }
  // @ts-expect-error a function is no JSON
  const noJson: Row<Json> = { a: [() => 1] }
  void json
  void noJson
})

test('a TypeBox schema has its static type, made readonly', () => {
  interface TypeBoxLike<T> {
    [prop: string]: unknown
    params: unknown[]
    static: T
  }
  expectType<
    Equal<Row<TypeBoxLike<{ a: number; b?: string[] }>>, { readonly a: number; readonly b?: readonly string[] }>
  >()
  expectType<
    Equal<
      Row<{ type: 'object'; required: ['a']; properties: { a: TypeBoxLike<'x' | 'y'> } }>,
      { readonly a: 'x' | 'y' }
    >
  >()
})
