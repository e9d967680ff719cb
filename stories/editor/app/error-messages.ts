import type { ErrorMessages } from 'rowcast/react'

/** What a field says of what it refuses, in the words of who fills it in. */
export const errorMessages: ErrorMessages = {
  required: 'Fill this in',
  badInput: 'Give a number',
  type: ({ message, params }) =>
    params['type'] === 'number' || params['type'] === 'integer' ? 'Give a number' : message,
  pattern: ({ message, params }) =>
    String(params['pattern']).startsWith('^#[0-9a-f]') ? 'Give a colour as #rrggbb, such as #3366ff' : message,
  minimum: ({ params }) => `At least ${String(params['limit'])}`,
  maximum: ({ params }) => `At most ${String(params['limit'])}`,
  minLength: ({ params }) => `At least ${String(params['limit'])} characters`,
  maxLength: ({ params }) => `At most ${String(params['limit'])} characters`,
}
