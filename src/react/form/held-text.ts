import { type CellValue, equalValues } from '../../changes/index.ts'
import type { Source } from '../source.ts'

/** A text that differs from the one the store's value would give: `1.`, or one that the store has refused. */
export interface HeldText {
  readonly text: string
  /** The store's value when this was typed, or when the field was left. */
  readonly stored: CellValue
  readonly error: string | undefined
  /** Whether it outlasts a change of the store's value: a refused text that is being edited, which is nowhere else. */
  readonly stays: boolean
}

/** What a field holds back from the store, if anything. For one component. */
export interface HeldSource extends Source<HeldText | undefined> {
  readonly hold: (text: HeldText | undefined) => void
}

/**
 * Holds a field's text. When the store's value changes from elsewhere the text is gone for good, or it would come back
 * together with the value that it was typed over.
 */
export function heldText(value: Source<CellValue>): HeldSource {
  let held: HeldText | undefined
  let tell: (() => void) | undefined
  function get(): HeldText | undefined {
    if (held && !held.stays && !equalValues(held.stored, value.get())) held = undefined
    return held
  }
  return {
    get,
    hold: (text) => {
      held = text
      tell?.()
    },
    subscribe: (notify) => {
      tell = () => {
        get()
        notify()
      }
      return value.subscribe(tell)
    },
  }
}
