const keyPart = {
  anyOf: [
    { type: ['string', 'number', 'boolean'] },
    {
      type: 'object',
      required: ['$bigint'],
      properties: { $bigint: { type: 'string', pattern: '^-?\\d{1,19}$' } },
      additionalProperties: false,
    },
  ],
} as const
const label = { type: 'string', minLength: 1, maxLength: 1000 } as const
const sequence = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const

/** `WireTransaction`, without what only a connection can have (`base`, `reads`). */
export const transactionBody: object = {
  type: 'object',
  required: ['changes'],
  properties: {
    id: { type: 'string', minLength: 1, maxLength: 128 },
    label: { type: 'string', maxLength: 1000 },
    ifUnchanged: { type: 'boolean' },
    changes: {
      type: 'array',
      items: {
        type: 'object',
        required: ['table', 'key', 'op'],
        properties: {
          table: { type: 'string', minLength: 1, maxLength: 256 },
          key: { anyOf: [...keyPart.anyOf, { type: 'array', items: keyPart, minItems: 1, maxItems: 16 }] },
          op: { enum: ['put', 'update', 'delete'] },
          after: { type: 'object' },
          before: { type: 'object' },
        },
        additionalProperties: false,
      },
    },
  },
  additionalProperties: false,
}

export const snapshotBody: object = { type: 'object', properties: { label }, additionalProperties: false }

export const rollbackBody: object = {
  type: 'object',
  required: ['to'],
  properties: { to: { anyOf: [sequence, label] }, label },
  additionalProperties: false,
}

export const forkBody: object = {
  type: 'object',
  required: ['name'],
  properties: { name: { type: 'string' }, at: sequence },
  additionalProperties: false,
}
