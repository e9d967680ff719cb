import { createStore, defineSchema, type SchemaInput, type Store } from 'rowcast'
import { createStoreContext } from 'rowcast/react'

/** A small editor's schema: labels with a font, and the settings of a scene. */
export const schema = defineSchema({
  version: 1,
  tables: {
    label: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id', 'slug'],
        properties: {
          id: { type: 'string' },
          slug: { type: 'string', minLength: 2, maxLength: 8, pattern: '^[a-z]+$' },
          note: { type: 'string' },
          parent: { type: ['string', 'null'] },
          rank: { type: 'integer', minimum: 0, exclusiveMaximum: 100, default: 0 },
          opacity: { type: 'number', minimum: 0, maximum: 1, multipleOf: 0.25 },
          visible: { type: 'boolean', default: true },
          kind: { enum: ['pin', 'area'], default: 'pin' },
          shape: { enum: ['round', 'square'] },
          level: { enum: [1, 2, null] },
          locked: { type: 'boolean' },
          signed: {
            oneOf: [
              { const: true, title: 'yes' },
              { const: false, title: 'no' },
            ],
          },
          agreed: { const: true },
          color: { type: 'string', pattern: '^#[0-9a-f]{6}$', default: '#ff0000' },
          day: { type: 'string', format: 'date' },
          contact: { type: 'string', format: 'email' },
          link: { type: 'string', format: 'uri' },
          count: { type: 'integer', format: 'int64' },
          text: {
            type: 'object',
            properties: {
              value: { type: 'string', default: 'Label' },
              font: { type: 'object', properties: { size: { type: 'number', minimum: 1, default: 12 } } },
            },
          },
          frame: {
            type: 'object',
            required: ['style'],
            properties: {
              style: { enum: ['thin', 'thick'] },
              inner: { type: 'object', properties: { gap: { type: 'number' } } },
            },
          },
          points: { type: 'array', items: { type: 'object', required: ['x'], properties: { x: { type: 'number' } } } },
        },
      },
    },
    cell: {
      primaryKey: ['row', 'column'],
      schema: {
        type: 'object',
        required: ['row', 'column'],
        properties: { row: { type: 'integer' }, column: { type: 'integer' }, value: { type: 'string', default: '' } },
      },
    },
    scene: {
      singleton: true,
      schema: {
        type: 'object',
        properties: { title: { type: 'string', default: 'Scene' }, zoom: { type: 'number', default: 1, minimum: 0 } },
      },
    },
  },
})

type SchemaShape<Of> = Of extends { readonly definition: infer S extends SchemaInput } ? S : never

/** A store of the small editor. */
export type EditorStore = Store<SchemaShape<typeof schema>>

/** The hooks of the small editor. */
export const editor = createStoreContext(schema)

/** Opens a store with three labels: a, b and c, of ranks 1, 2 and 3. */
export async function openEditor(): Promise<EditorStore> {
  const store = await createStore({ schema })
  store.table('label').insert([
    { id: 'a', slug: 'alpha', rank: 1, points: [{ x: 1 }, { x: 2 }] },
    { id: 'b', slug: 'beta', rank: 2 },
    { id: 'c', slug: 'gamma', rank: 3 },
  ])
  store.history.clear()
  return store
}
