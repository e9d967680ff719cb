import { likePieces } from './like.ts'
import type { FieldKind } from './field.ts'
import type { FilterNode, Operand, TextNode } from './filter-node.ts'
import { ANY_ONE, WORD } from './search.ts'

/** What a filter costs, which is known before it runs. */
export interface FilterPrice {
  /** Conditions, and what joins them: each is judged at most once for a row. A list of `in` is one. */
  readonly conditions: number
  /**
   * How often a value of a row is read to its end: once for each `like` and `contains` and for each condition on a place
   * in JSON; in a `like` for each 32 characters between two `%`, where there are `_` among them.
   */
  readonly readings: number
  /** Values to compare with, those of `in` among them. They take memory, and no time for a row. */
  readonly values: number
  /** Characters, or bytes, of all these values. */
  readonly characters: number
}

/** The price of a filter, in time proportional to the filter. */
export function priceOf(node: FilterNode): FilterPrice {
  switch (node.kind) {
    case 'and':
    case 'or':
      return node.nodes.map(priceOf).reduce(addPrices, { ...FREE, conditions: 1 })
    case 'not':
      return addPrices(priceOf(node.node), { ...FREE, conditions: 1 })
    case 'null':
      return { ...FREE, conditions: 1 }
    case 'compare':
      return { ...priceOfValues([node.operand]), conditions: 1, readings: node.field.kind === 'any' ? 1 : 0 }
    case 'in':
      return { ...priceOfValues(node.operands), conditions: 1, readings: isReadWhole(node.field.kind) ? 1 : 0 }
    case 'text':
      return { ...priceOfValues([node.operand]), conditions: 1, readings: readingsOf(node) }
  }
}

/** What no filter costs. */
export const FREE: FilterPrice = { conditions: 0, readings: 0, values: 0, characters: 0 }

export function addPrices(a: FilterPrice, b: FilterPrice): FilterPrice {
  return {
    conditions: a.conditions + b.conditions,
    readings: a.readings + b.readings,
    values: a.values + b.values,
    characters: a.characters + b.characters,
  }
}

function priceOfValues(operands: readonly Operand[]): Pick<FilterPrice, 'values' | 'characters'> {
  let characters = 0
  for (const operand of operands)
    characters += typeof operand === 'string' || operand instanceof Uint8Array ? operand.length : 1
  return { values: operands.length, characters }
}

/** Whether a list of values is compared with all of a value: what may be JSON is written first, bytes are made a text. */
function isReadWhole(kind: FieldKind): boolean {
  return kind === 'any' || kind === 'binary'
}

function readingsOf({ field, operator, operand }: TextNode): number {
  const written = field.kind === 'any' ? 1 : 0
  switch (operator) {
    case 'startsWith':
      return written
    case 'contains':
      return written + 1
    case 'like': {
      // Each character is read for one piece only.
      const searches = likePieces(operand).map((piece) =>
        piece.includes(ANY_ONE) ? Math.ceil(piece.length / WORD) : 1,
      )
      return written + searches.reduce((most, one) => Math.max(most, one), 0)
    }
  }
}
