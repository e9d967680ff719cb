import { defineSchema } from 'rowcast'

/** Of the pages and their server. */
export const schema = defineSchema({
  version: 1,
  tables: {
    note: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, text: { type: 'string', default: '' } },
      },
    },
  },
})
