import { defineSchema, type Schema, type SchemaInput } from 'rowcast'
import type { Random } from '../../support/random.ts'

const definition: SchemaInput = {
  version: 1,
  tables: {
    group: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'string' },
          name: { type: 'string' },
          weight: { type: ['integer', 'null'], default: 3 },
        },
      },
    },
    item: {
      primaryKey: ['a', 'b'],
      indexes: [['rank'], ['groupId', 'rank'], ['label.text'], ['big'], ['text', 'on']],
      references: { groupId: { table: 'group', onDelete: 'setNull' } },
      schema: {
        type: 'object',
        required: ['a', 'b'],
        properties: {
          a: { type: 'integer' },
          b: { type: 'string' },
          groupId: { type: ['string', 'null'] },
          rank: { type: ['integer', 'null'], default: 5 },
          size: { type: 'number', default: 1.5 },
          on: { type: 'boolean', default: true },
          text: { type: ['string', 'null'] },
          big: { type: ['integer', 'null'], format: 'int64' },
          mixed: { type: ['string', 'number', 'null'] },
          label: {
            type: ['object', 'null'],
            required: ['text'],
            properties: {
              text: { type: 'string' },
              weight: { type: 'integer', default: 3 },
              font: {
                type: 'object',
                required: ['size'],
                properties: { size: { type: 'number' }, name: { type: ['string', 'null'], default: 'q' } },
              },
            },
          },
          tags: { type: 'array', items: { type: 'integer' } },
          meta: { type: 'object' },
        },
      },
    },
    wide: {
      primaryKey: 'id',
      references: { groupId: { table: 'group', onDelete: 'cascade' } },
      schema: {
        type: 'object',
        required: ['id'],
        properties: {
          id: { type: 'integer', format: 'int64' },
          value: { type: 'integer' },
          groupId: { type: 'string' },
        },
      },
    },
    flag: {
      primaryKey: ['on', 'name'],
      unique: [['slug']],
      schema: {
        type: 'object',
        required: ['on', 'name'],
        properties: {
          on: { type: 'boolean' },
          name: { type: 'string' },
          slug: { type: 'string' },
          count: { type: 'integer' },
        },
      },
    },
    scene: {
      singleton: true,
      schema: { type: 'object', properties: { title: { type: 'string', default: 'T' } } },
    },
  },
}

/** Every kind of key and value; the names of tables, columns and properties are known only to what draws them here. */
export const historySchema: Schema = defineSchema(definition)

/** Texts whose order differs by code unit, code point and collation, and what LIKE reads otherwise. */
export const TEXTS: readonly string[] = [
  'a',
  'A',
  'b',
  'ab',
  'ä',
  'Ä',
  '\u{1F600}',
  '\uFFFD',
  '\uD7FF',
  'z%',
  '_',
  '',
  'é',
  'e\u0301',
  '10',
  '9',
] // oxfmt

const numbers: readonly number[] = [0, 1, 2, 3, 5, 7, -1, 100]

const number = (random: Random): unknown => random.pick(numbers)
const text = (random: Random): unknown => random.pick(TEXTS)

/** A value for each property of an item; `extra` is not declared. */
const draws: { readonly [path: string]: (random: Random) => unknown } = {
  groupId: (random) => random.pick(['g1', 'g2', null]),
  rank: (random) => random.pick([null, ...numbers]),
  size: (random) => random.pick([0.5, 1.5, 2, -0]),
  on: (random) => random.chance(50),
  text: (random) => random.pick([null, ...TEXTS]),
  big: (random) => random.pick([0n, 5n, 7n, 2n ** 60n, 2n ** 60n + 1n, -(2n ** 62n), null]),
  mixed: (random) => random.pick(['1', 1, 2, null, 'x', 0, 1.5, '']),
  extra: (random) => random.pick([1, 'x', null, true, { k: 2 }, [1, 2]]),
  'extra.k': number,
  'label.text': text,
  'label.weight': number,
  'label.font.size': number,
  'label.font.name': (random) => random.pick(['q', 'r', null]),
  'meta.k': (random) => random.pick(['x', 1, true, { d: 1 }, [1]]),
  'tags.0': number,
  a: (random) => random.int(A),
  b: (random) => random.pick(['x', 'y', 'z']),
}

/** Of the first part of an item's key: there are more items than a window of a few and its spare rows hold. */
const A = 24

/** What an item can be filtered and ordered by. */
export const PATHS: readonly string[] = Object.keys(draws)
/** What of it can be written by path: all but its key. */
export const WRITABLE: readonly string[] = PATHS.filter((path) => path !== 'a' && path !== 'b')

export function randomValue(random: Random, path: string): unknown {
  return draws[path]!(random)
}

export function randomItemKey(random: Random): [number, string] {
  return [random.int(A), random.pick(['x', 'y', 'z'] as const)]
}

/** An item that has some of its properties. */
export function randomItem(random: Random): Readonly<Record<string, unknown>> {
  const some = ['groupId', 'rank', 'size', 'on', 'text', 'big', 'mixed', 'extra'].filter(() => random.chance(50))
  const [a, b] = randomItemKey(random)
  return {
    a,
    b,
    ...Object.fromEntries(some.map((path) => [path, randomValue(random, path)])),
    ...(random.chance(60) && { label: random.chance(25) ? null : randomLabel(random) }),
    ...(random.chance(30) && { tags: [number(random), number(random)] }),
    ...(random.chance(30) && { meta: { k: randomValue(random, 'meta.k') } }),
  }
}

function randomLabel(random: Random): object {
  const name = random.chance(50) && { name: randomValue(random, 'label.font.name') }
  return {
    text: text(random),
    ...(random.chance(50) && { weight: number(random) }),
    ...(random.chance(50) && { font: { size: number(random), ...name } }),
  }
}
