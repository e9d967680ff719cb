import { createStore, defineSchema, type Store } from 'rowcast'
import { createStoreContext } from 'rowcast/react'
import wasmUrl from 'sql.js/dist/sql-wasm.wasm?url'

/** Labels on a map, and the settings of its scene. */
const labelSchema = defineSchema({
  version: 1,
  tables: {
    label: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id', 'name'],
        properties: {
          id: { type: 'string' },
          name: { type: 'string', minLength: 2, maxLength: 20 },
          rank: { type: 'integer', minimum: 0, maximum: 10, default: 0 },
          visible: { type: 'boolean', default: true },
          kind: { enum: ['city', 'port', 'airport'], default: 'city' },
          color: { type: 'string', pattern: '^#[0-9a-f]{6}$', default: '#3b82f6' },
          text: { type: 'object', properties: { size: { type: 'number', minimum: 8, maximum: 48, default: 16 } } },
        },
      },
    },
    scene: {
      singleton: true,
      schema: {
        type: 'object',
        properties: { title: { type: 'string', default: 'North' }, zoom: { type: 'number', minimum: 1, default: 1 } },
      },
    },
  },
})

/** The store of a story. */
export type LabelStore = typeof labelSchema extends { readonly definition: infer S extends object } ? StoreOf<S> : never
type StoreOf<S> = S extends Parameters<typeof createStore>[0]['schema']['definition'] ? Store<S> : never

/** The hooks that the stories show. */
export const labels = createStoreContext(labelSchema)

/** Opens a store with four labels. */
export async function openLabels(): Promise<LabelStore> {
  return createStore({
    schema: labelSchema,
    locateFile: () => wasmUrl,
    data: {
      label: [
        { id: 'oslo', name: 'Oslo', rank: 3 },
        { id: 'bergen', name: 'Bergen', rank: 2, kind: 'port', color: '#10b981' },
        { id: 'bodo', name: 'Bodø', rank: 1, kind: 'airport', color: '#f59e0b' },
        { id: 'alta', name: 'Alta', rank: 0, color: '#8b5cf6' },
      ],
    },
  })
}
