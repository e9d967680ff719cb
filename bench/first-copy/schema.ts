import { defineSchema } from 'rowcast'

const colour = { type: 'string', default: '#333333' } as const

/** Something drawn: most of what it has is as in all others. */
export const schema = defineSchema({
  version: 1,
  tables: {
    shape: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id', 'title', 'x', 'y'],
        properties: {
          id: { type: 'integer' },
          title: { type: 'string' },
          x: { type: 'number' },
          y: { type: 'number' },
          angle: { type: 'number', default: 0 },
          visible: { type: 'boolean', default: true },
          layer: { type: 'string', default: 'base' },
          fill: colour,
          stroke: colour,
          width: { type: 'number', default: 1 },
          font: { type: 'string', default: 'sans-serif' },
          size: { type: 'number', default: 12 },
        },
      },
    },
  },
})
