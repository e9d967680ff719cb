import { test } from 'vitest'
import type { InitialRows } from 'rowcast'
import type { Key } from '../../src/changes/change-set.ts'
import type {
  InputAt,
  InsertOf,
  KeyOf,
  LeafPath,
  LeafPathOf,
  MigrationContext,
  PatchOf,
  Path,
  PathOf,
  RowOf,
  SchemaInput,
  SingletonName,
  TableName,
  ValueAt,
  ValueOf,
  WhereOf,
} from '../../src/schema/types/index.ts'
import { type Equal, expectType } from '../support/expect-type.ts'
import document from './document.json'
import { define, open } from './table-like.ts'

const schema = define({
  version: 3,
  tables: {
    annotation: {
      primaryKey: 'id',
      indexes: [['layerId', 'rank'], ['text.font.size']],
      unique: [['slug']],
      references: { layerId: { table: 'layer', onDelete: 'cascade' } },
      schema: {
        type: 'object',
        required: ['id', 'points'],
        properties: {
          id: { type: 'string' },
          slug: { type: 'string' },
          layerId: { type: ['string', 'null'] },
          kind: { enum: ['pin', 'area'], default: 'pin' },
          rank: { type: 'integer', default: 0 },
          visible: { type: 'boolean', default: true },
          big: { type: 'integer', format: 'int64' },
          text: {
            type: 'object',
            properties: {
              value: { type: 'string' },
              font: {
                type: 'object',
                properties: { size: { type: 'number', default: 12 }, family: { type: 'string' } },
              },
            },
          },
          points: {
            type: 'array',
            items: { type: 'object', required: ['x'], properties: { x: { type: 'number' }, y: { type: 'number' } } },
          },
          meta: { type: 'object' },
          note: { type: 'object', required: ['body'], properties: { body: { type: 'string' } } },
          'a.b': { type: 'object', properties: { 'c.d.e': { type: 'number' } } },
        },
      },
    },
    layer: {
      primaryKey: ['sceneId', 'number'],
      schema: {
        type: 'object',
        required: ['sceneId', 'number'],
        properties: { sceneId: { type: 'string' }, number: { type: 'integer' }, name: { type: 'string' } },
      },
    },
    scene: { singleton: true, schema: { type: 'object', properties: { title: { type: 'string', default: '' } } } },
  },
  migrations: { 3: (db) => expectType<Equal<typeof db, MigrationContext>>() },
})
type S = typeof schema
type Annotation = RowOf<S, 'annotation'>
declare const row: Annotation
const store = open(schema)
const table = store.table('annotation')

test('tables, singletons and keys have their own types', () => {
  expectType<Equal<TableName<S>, 'annotation' | 'layer'>>()
  expectType<Equal<SingletonName<S>, 'scene'>>()
  expectType<Equal<KeyOf<S, 'annotation'>, string>>()
  expectType<Equal<KeyOf<S, 'layer'>, readonly [string, number]>>()
  expectType<Equal<RowOf<S, 'scene'>, { readonly title: string }>>()
})

test('rows are readonly, inserts need what is required, patches are deep and partial', () => {
  expectType<Equal<Annotation['kind'], 'pin' | 'area'>>()
  expectType<Equal<Annotation['text']['font'], { readonly size: number; readonly family?: string }>>()
  // @ts-expect-error a row is deeply readonly
  row.text.font.size = 3
  // @ts-expect-error arrays of a row are readonly
  row.points[0] = { x: 1 }
  const minimal: InsertOf<S, 'annotation'> = { id: 'a', points: [] }
  const copied: InsertOf<S, 'annotation'> = row
  // @ts-expect-error points is required and has no default
  const short: InsertOf<S, 'annotation'> = { id: 'a' }
  // @ts-expect-error a property that is not in the schema
  const extra: InsertOf<S, 'annotation'> = { id: 'a', points: [], colour: 'red' }
  const patch: PatchOf<S, 'annotation'> = {
    text: { font: { size: 4, family: undefined } },
    rank: undefined,
    points: [],
  }
  // @ts-expect-error a required property without a default can't be taken away
  const emptied: PatchOf<S, 'annotation'> = { id: undefined }
  // @ts-expect-error arrays are replaced as a whole
  const partialArray: PatchOf<S, 'annotation'> = { points: [{ y: 1 }] }
  void [minimal, copied, short, extra, patch, emptied, partialArray]
})

test('a path names its value', () => {
  type Texts = Extract<Path<Annotation>, `text${string}`>
  expectType<Equal<Texts, 'text' | 'text.value' | 'text.font' | 'text.font.size' | 'text.font.family'>>()
  expectType<
    Equal<
      Extract<Path<Annotation>, `points${string}`>,
      'points' | `points.${number}` | `points.${number}.x` | `points.${number}.y`
    >
  >()
  expectType<Equal<Extract<Path<Annotation>, `a${string}`>, 'a\\.b' | 'a\\.b.c\\.d\\.e'>>()
  expectType<Equal<ValueAt<Annotation, 'a\\.b.c\\.d\\.e'>, number | undefined>>()
  expectType<Equal<ValueOf<S, 'annotation', ['a.b', 'c.d.e']>, number | undefined>>()
  expectType<Equal<ValueAt<Annotation, 'text.font.size'>, number>>()
  expectType<Equal<ValueAt<Annotation, 'text.value'>, string | undefined>>()
  expectType<Equal<ValueAt<Annotation, 'note.body'>, string | undefined>>()
  expectType<Equal<ValueAt<Annotation, 'points.0.x'>, number | undefined>>()
  expectType<Equal<ValueOf<S, 'annotation', ['points', 0, 'x']>, number | undefined>>()
  expectType<Equal<ValueAt<Annotation, 'meta.some.thing'>, unknown>>()
  expectType<Equal<ValueAt<Annotation, 'nowhere.at.all'>, never>>()
  expectType<Equal<ValueAt<Annotation, 'points.length'>, never>>()
  expectType<Equal<ValueAt<{ readonly t: readonly [string, number] }, 't.1'>, number>>()
  expectType<Equal<InputAt<InsertOf<S, 'annotation'>, 'note.body'>, string>>()
  expectType<Equal<InputAt<InsertOf<S, 'annotation'>, 'points.0.x'>, number>>()
  type Leaves = Extract<LeafPathOf<S, 'annotation'>, `text${string}` | `points${string}` | `meta${string}`>
  expectType<Equal<Leaves, 'text.value' | 'text.font.size' | 'text.font.family' | 'points' | 'meta'>>()
})

test('a type that holds itself has paths of any depth, which are looked up below a few levels', () => {
  interface Node {
    readonly name: string
    readonly left?: Node
    readonly right?: Node
    readonly children: readonly Node[]
  }
  const list: Path<Node> = 'children.0.children.1.children.2.children.3.children.4.children.5.name'
  const tree: Path<Node> = 'left.right.left.right.left.right.left.right.left.right.left.name'
  const leaf: LeafPath<Node> = 'left.right.left.right.left.right.left.right.left.right.left.name'
  expectType<Equal<ValueAt<Node, 'left.right.left.right.left.right.left.right.left.name'>, string | undefined>>()
  expectType<Equal<InputAt<Node, 'left.right.left.right.left.right.left.right.left.nane'>, never>>()
  // @ts-expect-error no such path
  const wrong: Path<Node> = 'left.right.nane'
  void [list, tree, leaf]
  void wrong
})

test('objects within one another have exact paths, values, filters and orders however deep they lie', () => {
  const deep = define({
    version: 1,
    tables: {
      t: {
        primaryKey: 'id',
        indexes: [['a.b.c.d.e.f.g.h']],
        schema: {
          type: 'object',
          required: ['id'],
          properties: {
            id: { type: 'string' },
            a: {
              type: 'object',
              properties: {
                b: {
                  type: 'object',
                  properties: {
                    c: {
                      type: 'object',
                      properties: {
                        d: {
                          type: 'object',
                          properties: {
                            e: {
                              type: 'object',
                              properties: {
                                f: {
                                  type: 'object',
                                  properties: {
                                    g: {
                                      type: 'object',
                                      properties: {
                                        h: { type: 'integer', default: 0 },
                                        list: {
                                          type: 'array',
                                          items: { type: 'object', properties: { x: { type: 'number' } } },
                                        },
                                      },
                                    },
                                  },
                                },
                              },
                            },
                          },
                        },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    },
  })
  const t = open(deep).table('t')
  t.set('k', 'a.b.c.d.e.f.g.h', 3)
  t.set('k', 'a.b.c.d.e.f.g.list.0.x', 3)
  t.set('k', ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], 3)
  t.find({ where: { 'a.b.c.d.e.f.g.h': { gt: 3 } }, orderBy: '-a.b.c.d.e.f.g.h' })
  // @ts-expect-error a number, not a text
  t.set('k', 'a.b.c.d.e.f.g.h', 'x')
  // @ts-expect-error no such path
  t.set('k', 'a.b.c.d.e.f.g.i', 3)
  // @ts-expect-error no such path
  t.find({ where: { 'a.b.c.d.e.f.g.i': 3 } })
  // @ts-expect-error the value's type
  t.find({ where: { 'a.b.c.d.e.f.g.h': 'x' } })
  // @ts-expect-error no such path
  t.find({ orderBy: 'a.b.c.d.e.f.g.i' })
})

test('only the right table, key, path and value compile', () => {
  // @ts-expect-error no such table
  store.table('annotations')
  // @ts-expect-error a singleton is no table
  store.table('scene')
  table.get('a')
  // @ts-expect-error the key is a text
  table.get(1)
  store.table('layer').get(['s', 1])
  // @ts-expect-error the parts of the key in their order
  store.table('layer').get([1, 's'])
  table.set('a', 'text.font.size', 14)
  table.set('a', 'text.font.family', undefined)
  table.set('a', 'text.font', {})
  table.set('a', 'points.0.x', 1)
  table.set('a', ['points', 0, 'x'], 1)
  table.set('a', 'a\\.b.c\\.d\\.e', 1)
  table.set('a', ['a.b', 'c.d.e'], 1)
  table.set('a', 'meta.any.thing', { at: 'all' })
  // @ts-expect-error a number, not a text
  table.set('a', 'text.font.size', '14')
  // @ts-expect-error a number, not a text
  table.set('a', ['text', 'font', 'size'], '14')
  // @ts-expect-error no such path
  table.set('a', 'text.font.sise', 14)
  // @ts-expect-error no such path
  table.set('a', ['text', 'font', 'sise'], 14)
  table.value('a', ['text', 'font'])
  // @ts-expect-error no such path
  table.value('a', ['text', 'fond'])
  // @ts-expect-error required, so not undefined
  table.set('a', 'points.0.x', undefined)
  // @ts-expect-error not one of the enum
  table.set('a', 'kind', 'line')
  expectType<Equal<ReturnType<typeof table.value<'text.font'>>, { readonly size: number; readonly family?: string }>>()
})

test('where and orderBy know the paths, values and operators', () => {
  table.find({ where: { layerId: 'roads', 'text.font.size': { gt: 10, lte: 40 }, kind: { in: ['pin', 'area'] } } })
  table.find({ where: { or: [{ visible: true }, { not: { slug: { startsWith: 'a' } } }], meta: { isNull: true } } })
  table.find({ where: { layerId: null, big: { gte: 5n }, rank: { between: [1, 2] }, slug: { eq: null } } })
  // @ts-expect-error no such path
  table.find({ where: { 'text.font.sise': 1 } })
  // @ts-expect-error the value's type
  table.find({ where: { rank: 'x' } })
  // @ts-expect-error texts only
  table.find({ where: { rank: { like: 'x' } } })
  // @ts-expect-error booleans have no order
  table.find({ where: { visible: { gt: false } } })
  // @ts-expect-error of an array only isNull can be asked
  table.find({ where: { points: { eq: [] } } })
  // @ts-expect-error not one of the enum
  table.find({ where: { kind: 'line' } })
  // @ts-expect-error no such path within or
  table.find({ where: { or: [{ nothing: 1 }] } })
  table.find({ orderBy: '-rank' })
  table.find({ orderBy: ['layerId', '-text.font.size'] })
  // @ts-expect-error no such path
  table.find({ orderBy: '-rang' })
  // @ts-expect-error an array has no order
  table.find({ orderBy: 'points' })
})

test('a schema that names what is not there does not compile', () => {
  define({
    version: 1,
    tables: {
      // @ts-expect-error no such property
      a: { primaryKey: 'key', schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } },
    },
  })
  define({
    version: 1,
    tables: {
      a: {
        primaryKey: 'id',
        // @ts-expect-error no such property
        indexes: [['id', 'nothing']],
        // @ts-expect-error no such table
        references: { id: { table: 'b' } },
        schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
      },
    },
  })
  define({
    version: 1,
    // @ts-expect-error no such JSON Schema type
    tables: { a: { primaryKey: 'id', schema: { type: 'object', properties: { id: { type: 'text' } } } } },
  })
})

test('a schema that is loaded has loose types', () => {
  const loose = open(JSON.parse('{}') as SchemaInput)
  expectType<Equal<TableName<SchemaInput>, string>>()
  expectType<Equal<SingletonName<SchemaInput>, string>>()
  expectType<Equal<RowOf<SchemaInput, string>, { readonly [property: string]: unknown }>>()
  expectType<Equal<KeyOf<SchemaInput, string>, Key>>()
  expectType<Equal<Extract<PathOf<SchemaInput, string>, string>, string>>()
  expectType<Equal<ValueOf<SchemaInput, string, 'a.b'>, unknown>>()
  const looseTable = loose.table('anything')
  looseTable.insert({ id: 1, a: { b: 2 } })
  looseTable.update(['a', 1], { a: { b: 3 }, c: undefined })
  looseTable.set('a', 'a.b.c', 3)
  looseTable.set('a', ['a', 'b', 0], 3)
  looseTable.find({ where: { a: 1, or: [{ 'b.c': { gt: 1 } }] }, orderBy: ['a', '-b'] })
  const looseWhere: WhereOf<SchemaInput, string> = { not: { a: null } }
  void looseWhere
})

test('a schema from a .json file, whose texts are no literals, has loose types as well', () => {
  const wide = define(document)
  expectType<Equal<typeof wide, SchemaInput>>()
  const withSteps = define({ ...document, migrations: { 2: (db) => expectType<Equal<typeof db, MigrationContext>>() } })
  expectType<Equal<typeof withSteps, SchemaInput>>()
  const rows: InitialRows<SchemaInput> = { annotation: [{ id: 'a', rank: 2 }], scene: { title: 'x' } }
  void rows
})
