import { defineSchema } from 'rowcast'

/** Every kind of column that a schema can give. */
export const schema = defineSchema({
  version: 1,
  tables: {
    layer: {
      primaryKey: 'id',
      schema: {
        type: 'object',
        required: ['id', 'name'],
        additionalProperties: false,
        properties: { id: { type: 'string' }, name: { type: 'string' } },
      },
    },
    annotation: {
      primaryKey: 'id',
      references: { layerId: { table: 'layer', onDelete: 'cascade' } },
      schema: {
        type: 'object',
        required: ['id', 'layerId', 'position'],
        properties: {
          id: { type: 'integer' },
          layerId: { type: 'string' },
          kind: { enum: ['pin', 'area'], default: 'pin' },
          visible: { type: 'boolean', default: true },
          big: { type: 'integer', format: 'int64' },
          image: { type: 'string', contentEncoding: 'base64' },
          either: { type: ['string', 'number'] },
          note: { type: ['string', 'null'], default: 'none' },
          text: {
            type: 'object',
            properties: {
              value: { type: 'string', default: '' },
              font: { type: 'object', properties: { size: { type: 'number', minimum: 1, default: 12 } } },
            },
          },
          position: {
            type: 'object',
            required: ['x', 'y'],
            properties: { x: { type: 'number' }, y: { type: 'number' }, z: { type: 'number' } },
          },
          link: { type: 'object', required: ['url'], properties: { url: { type: 'string' } } },
          shape: {
            oneOf: [
              { type: 'object', required: ['radius'], properties: { radius: { type: 'number' } } },
              { type: 'object', required: ['width'], properties: { width: { type: 'number' } } },
            ],
          },
          range: {
            type: 'object',
            properties: { from: { type: 'number' }, to: { type: 'number' } },
            if: { required: ['from'] },
            // oxlint-disable-next-line unicorn/no-thenable -- JSON Schema's own keyword
            then: { required: ['to'] },
          },
          counts: {
            type: 'object',
            required: ['all'],
            properties: { all: { type: 'integer' } },
            additionalProperties: { type: 'integer' },
          },
          parent: { $ref: '#/$defs/person' },
          points: { type: 'array', items: { type: 'number' }, default: [] },
          meta: { type: 'object' },
          anything: {},
        },
        $defs: {
          person: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, parent: { $ref: '#/$defs/person' } },
          },
        },
      },
    },
    scene: {
      singleton: true,
      schema: {
        type: 'object',
        additionalProperties: false,
        properties: { title: { type: 'string', default: 'Untitled' }, grid: { type: 'boolean' } },
      },
    },
  },
})
